"""The chat backend of the sample application: REST, WebSocket, health and metrics over a chosen store and cache."""
