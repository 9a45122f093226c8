#include "system/veth_network.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <cstring>
#include <vector>

namespace muxbench {
namespace {

constexpr const char* kServerSide = "server0";
constexpr const char* kLoadSide = "load0";
constexpr const char* kServerAddress = "10.253.7.1";
constexpr const char* kLoadAddress = "10.253.7.2";

// A request of rtnetlink(7) whose attributes may hold others.
class Request {
 public:
  Request() : bytes_(NLMSG_HDRLEN) {}

  void put(const void* data, std::size_t size) {
    bytes_.resize(NLMSG_ALIGN(bytes_.size() + size));
    std::memcpy(bytes_.data() + bytes_.size() - NLMSG_ALIGN(size), data, size);
  }
  std::size_t open(std::uint16_t type) {
    const std::size_t at = bytes_.size();
    const rtattr header{.rta_len = 0, .rta_type = type};
    put(&header, sizeof header);
    return at;
  }
  void close(std::size_t at) {
    rtattr header{};
    std::memcpy(&header, bytes_.data() + at, sizeof header);
    header.rta_len = static_cast<std::uint16_t>(bytes_.size() - at);
    std::memcpy(bytes_.data() + at, &header, sizeof header);
  }
  void attribute(std::uint16_t type, const void* data, std::size_t size) {
    const std::size_t at = open(type);
    put(data, size);
    rtattr header{.rta_len = static_cast<std::uint16_t>(RTA_LENGTH(size)), .rta_type = type};
    std::memcpy(bytes_.data() + at, &header, sizeof header);
  }
  void attribute(std::uint16_t type, std::string_view text) {
    const std::string ended(text);
    attribute(type, ended.c_str(), ended.size() + 1);
  }

  // 0, or the errno that the kernel answered with.
  int ask(std::uint16_t type) {
    nlmsghdr header{};
    header.nlmsg_len = static_cast<std::uint32_t>(bytes_.size());
    header.nlmsg_type = type;
    header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL;
    std::memcpy(bytes_.data(), &header, sizeof header);
    const UniqueFd fd(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE));
    if (!fd || ::send(fd.get(), bytes_.data(), bytes_.size(), 0) < 0) return errno;
    std::vector<char> answer(8192);
    const ssize_t got = ::recv(fd.get(), answer.data(), answer.size(), 0);
    if (got < static_cast<ssize_t>(NLMSG_LENGTH(sizeof(nlmsgerr)))) return got < 0 ? errno : EPROTO;
    nlmsgerr acknowledged{};
    std::memcpy(&acknowledged, answer.data() + NLMSG_HDRLEN, sizeof acknowledged);
    return -acknowledged.error;
  }

 private:
  std::vector<char> bytes_;
};

Result<> make_pair(int load_network) {
  Request request;
  const ifinfomsg any{};
  request.put(&any, sizeof any);
  request.attribute(IFLA_IFNAME, kServerSide);
  const std::size_t info = request.open(IFLA_LINKINFO);
  request.attribute(IFLA_INFO_KIND, "veth");
  const std::size_t data = request.open(IFLA_INFO_DATA);
  const std::size_t peer = request.open(VETH_INFO_PEER);
  request.put(&any, sizeof any);
  request.attribute(IFLA_IFNAME, kLoadSide);
  request.attribute(IFLA_NET_NS_FD, &load_network, sizeof load_network);
  request.close(peer);
  request.close(data);
  request.close(info);
  if (const int error = request.ask(RTM_NEWLINK); error != 0) {
    return make_error(
        "no veth pair can be made: {}; run as root on a kernel with veth (modprobe veth)",
        describe(Errno{error}));
  }
  return {};
}

Result<> bring_up(const char* name, const char* address) {
  const UniqueFd fd(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  ifreq request{};
  std::strcpy(request.ifr_name, name);
  const auto set_address = [&](unsigned long command, const char* text) {
    sockaddr_in value{};
    value.sin_family = AF_INET;
    ::inet_pton(AF_INET, text, &value.sin_addr);
    std::memcpy(&request.ifr_addr, &value, sizeof value);
    return ::ioctl(fd.get(), command, &request) == 0;
  };
  bool good = fd && (address == nullptr || (set_address(SIOCSIFADDR, address) &&
                                            set_address(SIOCSIFNETMASK, "255.255.255.0")));
  request.ifr_flags = IFF_UP | IFF_RUNNING;
  good = good && ::ioctl(fd.get(), SIOCSIFFLAGS, &request) == 0;
  if (good) return {};
  return make_error("interface {} cannot be brought up: {}", name, describe(last_errno()));
}

UniqueFd this_network() {
  return UniqueFd(::open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC));
}

}  // namespace

Result<VethNetwork> make_veth_network() {
  const UniqueFd server = this_network();
  if (!server || ::unshare(CLONE_NEWNET) != 0) {
    return make_error("no second network namespace: {}; run as root", describe(last_errno()));
  }
  VethNetwork network{.load = this_network(), .listen = kServerAddress};
  auto up = bring_up("lo", nullptr);
  const auto back = [&] { return ::setns(server.get(), CLONE_NEWNET) == 0; };
  if (!back())
    return make_error("the server's network cannot be entered: {}", describe(last_errno()));
  if (up) up = make_pair(network.load.get());
  if (up) up = bring_up(kServerSide, kServerAddress);
  if (!up) return up.error();
  if (::setns(network.load.get(), CLONE_NEWNET) != 0) {
    return make_error("the load's network cannot be entered: {}", describe(last_errno()));
  }
  up = bring_up(kLoadSide, kLoadAddress);
  if (!back())
    return make_error("the server's network cannot be entered: {}", describe(last_errno()));
  if (!up) return up.error();
  return network;
}

}  // namespace muxbench
