"""What several tests need."""

from encrypted_digits.sessions import Limits

# For machines that have other things to do, too.
PATIENT = Limits(upload_grace_seconds=600, load_seconds=600, evaluation_seconds=600)
