"""The chat frontend of the sample application: one page, and a proxy that carries its requests to the backend."""
