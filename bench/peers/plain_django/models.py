from django.db import models


class Picture(models.Model):
    original = models.FileField(upload_to="originals")
    is_done = models.BooleanField(default=False)
    uploaded = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.original.name
