"""The one place where real objects are joined: what both processes need, the edge, the brain."""
