# HAProxy with deploy/haproxy-nodes.cfg: two nodes at the addresses in NODE_ONE and NODE_TWO, and a certificate.
set -eu

certificate=/tls/combined.pem
[ -e "$certificate" ] || certificate=/tmp/combined.pem
# Key and certificate go into one file.
[ -e "$certificate" ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 365 -subj /CN=signalpost \
  -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$certificate" -out "$certificate"

sed -e "s#/etc/signalpost/combined.pem#$certificate#" \
  -e "s#127.0.0.1:8080#$NODE_ONE#" -e "s#127.0.0.1:8082#$NODE_TWO#" -e '/server three/d' \
  /deploy/haproxy-nodes.cfg > /tmp/haproxy.cfg
exec haproxy -W -db -f /tmp/haproxy.cfg
