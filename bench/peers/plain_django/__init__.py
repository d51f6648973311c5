"""What one would write instead: Django, Pillow and RQ, with two workers. Models, views and tasks are all of it."""
