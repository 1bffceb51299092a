vcl 4.1;
# Everything is kept for ten hours, whoever asks; storage is malloc.

backend netbox {
    .host = "127.0.0.1";
    .port = "@ORIGIN@";
}

sub vcl_recv {
    return (hash);
}

sub vcl_backend_response {
    unset beresp.http.Vary;
    set beresp.ttl = 10h;
    return (deliver);
}

sub vcl_deliver {
    if (obj.hits > 0) {
        set resp.http.X-Cache = "HIT";
    } else {
        set resp.http.X-Cache = "MISS";
    }
}
