"""What a sweep searches: its file, its space, its objectives, its study."""
