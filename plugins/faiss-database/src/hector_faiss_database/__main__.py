"""Serves the database as a plugin process."""

from hector_sdk import serve

from hector_faiss_database.plugin import FaissDatabase

serve(FaissDatabase(), description="Exact, durable vector search by FAISS and SQLite.")
