"""XMPP without I/O (RFC 6120, RFC 7395, XEP-0045/0124/0198/0199/0206/0215/0030/0115/0004), plus one I/O edge in
:mod:`app.protocols.xmpp.connection`."""
