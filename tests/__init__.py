"""Tests: names are sentences about the business."""
