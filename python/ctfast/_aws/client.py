"""Clients of AWS by boto3, and their errors, each in one sentence."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ctfast import _ctfast
from ctfast.exceptions import ServiceError

__all__ = ["asking", "session"]


def session(given: Any, purpose: str) -> Any:
    """Return a ``boto3.Session``: the given one, or one with the credentials that the AWS CLI would use."""
    if given is not None:
        return given
    try:
        import boto3  # noqa: PLC0415  # an extra
    except ImportError:
        message = f"fetching {purpose} needs boto3: pip install 'ctfast[aws]'"
        raise ImportError(message) from None
    with asking("a session", "AWS"):
        return boto3.Session()


@contextmanager
def asking(operation: str, what: str) -> Iterator[None]:
    """Turn what boto3 raises into :class:`ServiceError`.

    Parameters
    ----------
    operation
        The operation, such as ``ListPublicKeys``.
    what
        Its object: a region, or ``s3://bucket/key``.
    """
    try:
        from botocore import exceptions as boto  # noqa: PLC0415  # comes with the extra
    except ImportError:  # a client of another implementation
        yield
        return
    try:
        yield
    except boto.ClientError as error:
        answer = error.response
        code, words = (str(answer.get("Error", {}).get(name, "")) for name in ("Code", "Message"))
        status = answer.get("ResponseMetadata", {}).get("HTTPStatusCode")
        told = ": ".join(part for part in (code, _line(words)) if part)
        raise ServiceError(f"AWS refuses: {told}", what, "refused", operation, code, status) from error
    except (
        boto.NoCredentialsError,
        boto.PartialCredentialsError,
        boto.CredentialRetrievalError,
        boto.NoAuthTokenError,
        boto.TokenRetrievalError,
        boto.SSOError,
    ) as error:
        message = f"no credentials: {_line(error)}; set AWS_PROFILE or AWS_ACCESS_KEY_ID, or log in with the AWS CLI"
        raise ServiceError(message, what, "credentials", operation) from error
    except (boto.ConnectionError, boto.HTTPClientError) as error:
        raise ServiceError(f"no answer: {_line(error)}", what, "unreachable", operation) from error
    except boto.BotoCoreError as error:
        raise ServiceError(_line(error), what, "configuration", operation) from error


def _line(words: object) -> str:
    """Return a message as part of a sentence, without the secrets that some answers repeat."""
    text = _ctfast.without_secrets(" ".join(str(words).split())).rstrip(".")
    return text[:1].lower() + text[1:] if text[1:2].islower() else text
