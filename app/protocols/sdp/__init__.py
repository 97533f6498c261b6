"""Session descriptions (RFC 8866) and offer/answer (RFC 3264, RFC 9429) over the media engine's seam."""
