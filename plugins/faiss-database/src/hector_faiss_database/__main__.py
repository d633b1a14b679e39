"""Serves the database as a plugin process."""

from hector_faiss_database.plugin import FaissDatabase
from hector_sdk import serve

serve(FaissDatabase(), description="Exact, durable vector search by FAISS and SQLite.")
