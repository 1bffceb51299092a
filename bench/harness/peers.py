"""The peers."""

def nbproxy_settings(origin, port, admin, log="info", capacity="4GiB"):
    """As shipped, but for ports and times: nothing may expire amid a run."""
    return f"""
[upstream]
url = "http://127.0.0.1:{origin}"
[server]
listen = "127.0.0.1:{port}"
[admin]
listen = "127.0.0.1:{admin}"
[cache]
capacity = "{capacity}"
ttl = "10h"
ttl_without_feed = "10h"
[log]
filter = "{log}"
"""
