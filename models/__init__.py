"""What is trained, versioned and handed over. The only package that talks to MLflow.

Map
---
"""
