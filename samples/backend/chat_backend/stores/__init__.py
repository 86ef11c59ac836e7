"""The stores, one module each behind stores.base.Store; a driver is imported only when its store is chosen."""

from __future__ import annotations

from ..settings import Settings
from .base import Store


def open_store(settings: Settings) -> Store:
    """The chosen store, not yet connected."""
    if settings.store == "mysql":
        from .mysql import MySQLStore

        return MySQLStore(settings.database)
    if settings.store == "postgresql":
        from .postgresql import PostgreSQLStore

        return PostgreSQLStore(settings.database)
    if settings.store == "dynamodb":
        from .dynamodb import DynamoDBStore

        return DynamoDBStore(settings.tables)
    from .memory import MemoryStore

    return MemoryStore()
