"""A vector database for Hector: exact search by FAISS over vectors that SQLite keeps."""
