"""Where pages may show pictures from, and send files to: where derivatives are served, and the storage itself."""

from urllib.parse import urlsplit

from gallimg_site.env import Env


def picture_origins(env: Env) -> list[str]:
    """Return the origins of the addresses that derivatives may have, beside that of the page itself."""
    return _origins(env.CDN_BASE_URL) if env.CDN_BASE_URL else storage_origins(env)


def storage_origins(env: Env) -> list[str]:
    """Return the origins of the addresses to which forms for direct uploads are sent."""
    if not env.S3_BUCKET:
        return _origins(env.base_url)
    if env.s3_endpoint_url:
        return _origins(env.s3_endpoint_url)
    host = f"s3.{env.AWS_REGION}.amazonaws.com" + (".cn" if env.AWS_REGION.startswith("cn-") else "")
    return _origins(f"https://{host}", f"https://{env.S3_BUCKET}.{host}")


def _origins(*addresses: str) -> list[str]:
    return [f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" for parts in map(urlsplit, addresses)]
