#include "program/describe.h"

#include <nlohmann/json.hpp>

#include "base/output.h"

namespace muxbench {

using Json = nlohmann::ordered_json;

void print_description(const ModelInfo& model, const Probe& probe, const Options& options) {
  const auto& capabilities = model.capabilities;
  Json json{{"name", model.name},
            {"family", model.family},
            {"mechanism", model.mechanism},
            {"available", probe.unavailable_because.empty()}};
  if (!probe.unavailable_because.empty()) json["reason"] = probe.unavailable_because;
  json["capabilities"] = {{"concurrent", capabilities.concurrent},
                          {"workers", capabilities.workers},
                          {"max_connections", nullptr},
                          {"protocols", {"echo", "greet", "http"}},
                          {"transports", {"tcp", "unix"}},
                          {"work", {"none", "spin", "sleep"}},
                          {"idle_timeout", true},
                          {"idle_cpu", capabilities.idle_cpu},
                          {"edge_triggered", capabilities.edge_triggered},
                          {"program_per_connection", capabilities.program_per_connection},
                          {"signal_per_connection", capabilities.signal_per_connection},
                          {"sheds_when_full", capabilities.sheds_when_full},
                          {"survives_refused_watch", capabilities.survives_refused_watch},
                          {"one_client_per_worker", capabilities.one_client_per_worker}};
  if (capabilities.child_work) json["capabilities"]["work"].push_back("child");
  if (capabilities.one_client_per_worker) {
    json["capabilities"]["max_connections"] = options.workers;
  } else if (capabilities.max_connections != 0) {
    json["capabilities"]["max_connections"] = capabilities.max_connections;
  }
  json["features"] = Json::object();
  for (const auto& [name, value] : probe.features) {
    std::visit([&](const auto& v) { json["features"][name] = v; }, value);
  }
  print("{}\n", json.dump());
}

void print_ready_line(const Address& address, pid_t pid) {
  const Json json{{"ready", true}, {"address", address.to_string()}, {"pid", pid}};
  print("{}\n", json.dump());
}

}  // namespace muxbench
