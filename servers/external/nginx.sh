#!/bin/sh
# nginx as a server of one folder, one process, no logging: nginx.sh PORT ROOT
#   muxbench run --experiments-dir servers/external/experiments --server servers/external/nginx.json
# Its configuration lies in ROOT, which muxbench makes for the run and removes.
[ $# = 2 ] || { echo "usage: nginx.sh PORT ROOT" >&2; exit 2; }
PATH=$PATH:/usr/sbin  # where Debian has it, and users' PATH has not
command -v nginx >/dev/null || { echo "nginx.sh: nginx is not installed; apt-get install nginx" >&2; exit 3; }
cat >"$2/.nginx.conf" <<CONFIGURATION
daemon off;
master_process off;
pid $2/.nginx.pid;
error_log stderr warn;
worker_rlimit_nofile 65536;
events { worker_connections 16384; multi_accept on; }
http {
  access_log off;
  tcp_nodelay on;
  sendfile on;
  keepalive_requests 1000000000;
  client_body_temp_path $2/.nginx; proxy_temp_path $2/.nginx; fastcgi_temp_path $2/.nginx;
  uwsgi_temp_path $2/.nginx; scgi_temp_path $2/.nginx;
  server { listen 127.0.0.1:$1 backlog=4096; root $2; }
}
CONFIGURATION
exec nginx -e stderr -p "$2" -c "$2/.nginx.conf"
