// The plan of a run, as its journal keeps it: the record without what was found.
#pragma once

#include "json/fields.h"
#include "net/interface_fields.h"
#include "plan/trial_order.h"
#include "run/record.h"

namespace muxbench {

template <>
struct Fields<Capabilities> {
  static void each(auto& capabilities, const auto& use) {
    use("concurrent", capabilities.concurrent);
    use("workers", capabilities.workers);
    use("program_per_connection", capabilities.program_per_connection);
    use("one_client_per_worker", capabilities.one_client_per_worker);
    use("idle_cpu", capabilities.idle_cpu);
    use("max_connections", capabilities.max_connections);
    use("protocols", capabilities.protocols);
    use("transports", capabilities.transports);
    use("work", capabilities.work);
  }
};

template <>
struct Fields<Model> {
  static void each(auto& model, const auto& use) {
    use("name", model.name);
    use("family", model.family);
    use("mechanism", model.mechanism);
    use("available", model.available);
    use("reason", model.reason);
    use("command", model.command);
    use("external", model.external);
    use("capabilities", model.capabilities);
    use("description", model.description);
  }
};

template <>
struct Fields<LoadSettings> {
  static void each(auto& settings, const auto& use) {
    for (const Setting& setting : kSettings) use(setting.key.data(), settings.*setting.member);
  }
};

template <>
struct Fields<Sweep> {
  static void each(auto& sweep, const auto& use) {
    use("key", sweep.key);
    use("values", sweep.values);
  }
};

// As it is run: what a profile would change of it has been done.
template <>
struct Fields<Experiment> {
  static void each(auto& experiment, const auto& use) {
    use("name", experiment.name);
    use("question", experiment.question);
    use("protocol", experiment.protocol);
    use("transport", experiment.transport);
    use("mode", experiment.mode);
    use("metric", experiment.metric);
    use("load", experiment.load);
    use("sweep", experiment.sweep);
    use("warmup", experiment.warmup);
    use("duration", experiment.duration);
    use("repetitions", experiment.repetitions);
    use("method", experiment.method);
    use("models", experiment.models);
    use("order", experiment.order);
  }
};

template <>
struct Fields<Coordinate> {
  static void each(auto& coordinate, const auto& use) {
    use("key", coordinate.key);
    use("value", coordinate.value);
  }
};

template <>
struct Fields<Cell> {
  static void each(auto& cell, const auto& use) {
    use("id", cell.id);
    use("model", cell.model);
    use("experiment", cell.experiment);
    use("point", cell.point);
    use("settings", cell.settings);
    use("method", cell.method);
    use("skipped", cell.skipped);
  }
};

template <>
struct Fields<PlannedTrial> {
  static void each(auto& trial, const auto& use) {
    use("cell", trial.cell);
    use("repetition", trial.repetition);
    use("counting", trial.counting);
    use("twin", trial.twin);
    use("counted", trial.counted);
  }
};

template <>
struct Fields<CpuPlan> {
  static void each(auto& cpus, const auto& use) {
    use("server", cpus.server);
    use("load", cpus.load);
  }
};

template <>
struct Fields<LoadHosts> {
  static void each(auto& hosts, const auto& use) {
    use("names", hosts.names);
    use("listen", hosts.listen);
    use("command", hosts.command);
  }
};

template <>
struct Fields<SelfTest> {
  static void each(auto& test, const auto& use) {
    use("expected", test.expected);
    use("counted", test.counted);
  }
};

template <>
struct Fields<CountingBackend> {
  static void each(auto& backend, const auto& use) {
    use("name", backend.name);
    use("reason", backend.reason);
    use("self_test", backend.self_test);
  }
};

// Of the program that measures.
template <>
struct Fields<BuildInfo> {
  static void each(auto& build, const auto& use) {
    use("version", build.version);
    use("revision", build.revision);
    use("dirty", build.dirty);
  }
};

template <>
struct Fields<RunRecord> {
  static void each(auto& record, const auto& use) {
    use("started", record.started);
    use("seed", record.seed);
    use("profile", record.profile);
    use("command_line", record.command_line);
    use("notes", record.notes);
    use("build", record.build);
    use("driver_sha256", record.driver_sha256);
    use("loadgen_sha256", record.loadgen_sha256);
    use("host", record.host);
    use("context", record.context);
    use("cpus", record.cpus);
    use("private_network", record.private_network);
    use("veth", record.veth);
    use("load_hosts", record.load_hosts);
    use("launching", record.launching);
    use("load_host_facts", record.load_host_facts);
    use("listens", record.listens);
    use("backends", record.backends);
    use("planned_trials", record.planned_trials);
    use("planned_counting_trials", record.planned_counting_trials);
    use("models", record.models);
    use("experiments", record.experiments);
    use("cells", record.cells);
  }
};

}  // namespace muxbench
