"""Calls a gallimg image service: uploads pictures, waits for them, looks after them."""

from gallimg_client.client import Client
from gallimg_client.errors import GallimgError, JobFailed, ProblemError, StillProcessing, Unreachable
from gallimg_client.events import Events
from gallimg_client.retries import Retries
from gallimg_client.words import Accepted, Deleted, Derivative, Event, Image, ImageSummary, Job, Rights, UploadFields

__all__ = [
    "Accepted",
    "Client",
    "Deleted",
    "Derivative",
    "Event",
    "Events",
    "GallimgError",
    "Image",
    "ImageSummary",
    "Job",
    "JobFailed",
    "ProblemError",
    "Retries",
    "Rights",
    "StillProcessing",
    "Unreachable",
    "UploadFields",
]
