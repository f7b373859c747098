# Signalpost behind Varnish. Start Signalpost with
#   signalpost --trusted-proxy 127.0.0.1
# Varnish has no TLS, and so no HTTP/2 with browsers: put hitch or HAProxy in front of it, or leave it out of the way.
# It does not tell the server when a client has gone; the lease does.
vcl 4.1;

backend signalpost {
    .host = "127.0.0.1";
    .port = "8080";
    # Longer than the longest hold of a poll (55 s).
    .first_byte_timeout = 75s;
    .between_bytes_timeout = 75s;
    .probe = { .url = "/readyz"; .interval = 1s; }
}

sub vcl_recv {
    # What the client itself says of its address is not passed on.
    unset req.http.Forwarded;
    set req.http.X-Forwarded-For = client.ip;
    # Everybody's answers are their own: equal requests are not collapsed into one.
    if (req.url ~ "^/v1/") {
        return (pass);
    }
}
