#include "eigengrad/autograd/profiler.h"

#include <algorithm>
#include <chrono>
#include <ostream>

#include "eigengrad/core/allocator.h"
#include "eigengrad/core/check.h"

namespace eigengrad {
namespace {

std::int64_t nanoseconds() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

std::int64_t bytes_of(const Tensor& x) {
  return x.defined() ? x.numel() * static_cast<std::int64_t>(size_of(x.dtype())) : 0;
}

void write_table(std::ostream& out, std::string_view title, const std::vector<ProfileRow>& rows, double all) {
  std::size_t width = title.size();
  for (const ProfileRow& row : rows) width = std::max(width, row.name.size());
  out << fmt::format("{:<{}}  {:>9}  {:>10}  {:>7}  {:>10}  {:>8}  {:>9}  {:>9}\n", title, width, "calls", "total ms",
                     "share", "each us", "GFLOP/s", "MB", "allocs");
  for (const ProfileRow& row : rows) {
    const std::string speed = row.flops > 0 ? fmt::format("{:.1f}", row.flops / row.seconds / 1e9) : "-";
    out << fmt::format("{:<{}}  {:>9}  {:>10.2f}  {:>6.1f}%  {:>10.1f}  {:>8}  {:>9.1f}  {:>9}\n", row.name, width,
                       row.calls, 1e3 * row.seconds, 100 * row.seconds / all,
                       1e6 * row.seconds / static_cast<double>(std::max<std::int64_t>(1, row.calls)), speed,
                       static_cast<double>(row.bytes) / 1e6, row.allocations);
  }
}

}  // namespace

Profiler::Profiler() : started_(nanoseconds()), watched_before_(thread_state.tracer) { thread_state.tracer = this; }

Profiler::~Profiler() { stop(); }

void Profiler::stop() {
  if (stopped_ >= 0) return;
  stopped_ = now();
  if (thread_state.tracer == this) thread_state.tracer = watched_before_;
}

double Profiler::now() const { return static_cast<double>(nanoseconds() - started_) * 1e-9; }

double Profiler::seconds() const { return stopped_ >= 0 ? stopped_ : now(); }

void Profiler::before() { open_.push_back({now(), allocation_count()}); }

// An op of several outputs is told of once for each: the first closes it.
void Profiler::close(ProfileEvent event) {
  if (open_.empty()) return;
  const Open open = open_.back();
  open_.pop_back();
  event.start = open.start;
  event.total_seconds = now() - open.start;
  event.seconds = std::max(0.0, event.total_seconds - open.inside);
  event.allocations = allocation_count() - open.allocations;
  if (!open_.empty()) open_.back().inside += event.total_seconds;
  events_.push_back(event);
}

void Profiler::on_op(const OpEvent& event) {
  if (event.output_index > 0) return;
  std::int64_t bytes = bytes_of(event.output);
  for (std::size_t i = 0; i < event.inputs.size(); ++i) bytes += bytes_of(event.inputs[i]);
  const ScopeId scope = thread_state.scope;
  flops_[{event.name, scope}] = event.flops;
  close({event.name, ProfileEvent::Kind::Forward, scope, 0, 0, 0, event.flops, bytes, 0});
}

void Profiler::on_rule(const Node& node, std::span<const Tensor> results) {
  std::int64_t bytes = 0;
  int wanted = 0;
  for (std::size_t i = 0; i < results.size(); ++i) {
    bytes += bytes_of(results[i]);
    if (i < 2 && results[i].defined()) ++wanted;
  }
  const auto forward = flops_.find({node.name(), node.scope()});
  const double flops = forward == flops_.end() ? 0 : wanted * forward->second;
  close({node.name(), ProfileEvent::Kind::Backward, node.scope(), 0, 0, 0, flops, bytes, 0});
}

void Profiler::on_part(std::string_view name) {
  close({name, ProfileEvent::Kind::Part, thread_state.scope, 0, 0, 0, 0, 0, 0});
}

template <class NameOf>
std::vector<ProfileRow> Profiler::rows(NameOf name_of) const {
  std::map<std::string, ProfileRow> all;
  for (const ProfileEvent& event : events_) {
    const std::string name = name_of(event);
    ProfileRow& row = all[name];
    row.name = name;
    ++row.calls;
    row.seconds += event.seconds;
    row.flops += event.flops;
    row.bytes += event.bytes;
    row.allocations += event.allocations;
  }
  ProfileRow rest{.name = "(between them)"};
  rest.seconds = seconds();
  std::vector<ProfileRow> result;
  for (auto& [name, row] : all) {
    rest.seconds -= row.seconds;
    result.push_back(std::move(row));
  }
  std::stable_sort(result.begin(), result.end(),
                   [](const ProfileRow& a, const ProfileRow& b) { return a.seconds > b.seconds; });
  result.push_back(std::move(rest));
  return result;
}

std::vector<ProfileRow> Profiler::by_op() const {
  return rows([](const ProfileEvent& event) {
    return std::string(event.name) + (event.kind == ProfileEvent::Kind::Backward ? " backward" : "");
  });
}

std::vector<ProfileRow> Profiler::by_module() const {
  return rows([](const ProfileEvent& event) {
    if (event.kind == ProfileEvent::Kind::Part) return std::string(event.name);
    const std::string path = scope_path(event.scope);
    return path.empty() ? std::string("(outside modules)") : path;
  });
}

std::ostream& operator<<(std::ostream& out, const Profiler& profiler) {
  write_table(out, "op", profiler.by_op(), profiler.seconds());
  out << '\n';
  write_table(out, "module", profiler.by_module(), profiler.seconds());
  return out;
}

}  // namespace eigengrad
