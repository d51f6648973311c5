"""Where pages may show pictures from: wherever derivatives are served."""

from urllib.parse import urlsplit

from gallimg_site.env import Env


def picture_origins(env: Env) -> list[str]:
    """Return the origins of the addresses that derivatives may have, beside that of the page itself."""
    if env.CDN_BASE_URL:
        addresses = [env.CDN_BASE_URL]
    elif not env.S3_BUCKET:
        addresses = [env.base_url]
    elif env.s3_endpoint_url:
        addresses = [env.s3_endpoint_url]
    else:
        host = f"s3.{env.AWS_REGION}.amazonaws.com" + (".cn" if env.AWS_REGION.startswith("cn-") else "")
        addresses = [f"https://{host}", f"https://{env.S3_BUCKET}.{host}"]
    return [f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}" for parts in map(urlsplit, addresses)]
