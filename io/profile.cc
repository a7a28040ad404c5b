#include "eigengrad/io/profile.h"

#include <algorithm>

#include "eigengrad/config/value.h"
#include "eigengrad/core/scope.h"

namespace eigengrad::io {
namespace {

const char* category(ProfileEvent::Kind kind) {
  switch (kind) {
    case ProfileEvent::Kind::Forward: return "forward";
    case ProfileEvent::Kind::Backward: return "backward";
    case ProfileEvent::Kind::Part: break;
  }
  return "part";
}

std::string to_json(const ProfileEvent& event) {
  using config::Value;
  Value arguments = Value::object();
  arguments.set("module", scope_path(event.scope));
  if (event.flops > 0) arguments.set("GFLOP/s", event.flops / event.seconds / 1e9);
  arguments.set("bytes", event.bytes);
  arguments.set("allocations", event.allocations);
  Value bar = Value::object();
  const bool backward = event.kind == ProfileEvent::Kind::Backward;
  bar.set("name", std::string(event.name) + (backward ? " backward" : ""));
  bar.set("cat", category(event.kind));
  bar.set("ph", "X");
  bar.set("ts", 1e6 * event.start);
  bar.set("dur", 1e6 * event.total_seconds);
  bar.set("pid", std::int64_t{1});
  bar.set("tid", std::int64_t{1});
  bar.set("args", std::move(arguments));
  return config::to_json(bar, -1);
}

}  // namespace

std::string to_chrome_trace(const Profiler& profiler, std::size_t most) {
  const auto& events = profiler.events();
  std::string text = "{\"displayTimeUnit\": \"ms\", \"traceEvents\": [\n";
  for (std::size_t i = 0; i < std::min(most, events.size()); ++i) text += (i ? ",\n" : "") + to_json(events[i]);
  return text + "\n]}\n";
}

}  // namespace eigengrad::io
