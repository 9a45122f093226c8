// Node.js as an echo server, as its users write one: node node_echo.js PORT
//   muxbench run --server servers/external/node.json --experiments connections
const net = require('net');
const port = Number(process.argv[2]);
if (!Number.isInteger(port) || port < 0 || port > 65535) {
  console.error('usage: node node_echo.js PORT');
  process.exit(2);
}
const server = net.createServer({allowHalfOpen: true}, (socket) => {
  socket.setNoDelay(true);
  socket.on('error', () => socket.destroy());
  socket.pipe(socket);
});
server.listen({port, host: '127.0.0.1', backlog: 4096});
process.on('SIGTERM', () => process.exit(0));
