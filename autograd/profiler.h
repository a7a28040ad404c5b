// Where the time goes: every op, every gradient rule and every named part of the program, as they happen.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "eigengrad/core/node.h"

namespace eigengrad {

/// One op, gradient rule or part that has run.
struct ProfileEvent {
  std::string_view name;  ///< "linear"; its gradient rule has the same name
  /// An op, its gradient rule, or a part of the program.
  enum class Kind : std::uint8_t { Forward, Backward, Part } kind;  ///< which of the three it is
  ScopeId scope;                                                    ///< the module
  double start, seconds;     ///< since the profile began; its own time, without what ran inside it
  double total_seconds;      ///< with what ran inside it
  double flops;              ///< floating point operations
  std::int64_t bytes;        ///< of the inputs and outputs
  std::int64_t allocations;  ///< blocks taken from the allocator
};

/// The events of one op or of one module, added up.
struct ProfileRow {
  std::string name;                         ///< the op, with " backward" for its gradient rule; or the module
  std::int64_t calls = 0;                   ///< events
  double seconds = 0, flops = 0;            ///< their own time, and floating point operations
  std::int64_t bytes = 0, allocations = 0;  ///< of inputs and outputs, and blocks taken from the allocator
};

/// Watches this thread while it lives, or until stop():
///
///   Profiler profiler;
///   for (int i = 0; i < 10; ++i) step();
///   std::cout << profiler;                                 // a table by op, and one by module
///   io::write_file("profile.json", io::to_chrome_trace(profiler));
///
/// Watching costs about a microsecond for each op. What a gradient rule computes is not counted but estimated: as much
/// as the op itself for each of its first two inputs that a gradient is wanted of.
class Profiler : public Tracer {
 public:
  Profiler();
  ~Profiler() override;
  /// Ends the watch; what was seen stays.
  void stop();

  /// In the order in which they ended.
  const std::vector<ProfileEvent>& events() const { return events_; }
  /// Wall time from the beginning to the end, or to now.
  double seconds() const;
  /// Added up, those that took longest first.
  std::vector<ProfileRow> by_op() const;
  /// The same by module.
  std::vector<ProfileRow> by_module() const;

  void before() override;
  void on_op(const OpEvent& event) override;
  void on_grad(const Node&, std::uint32_t, const Tensor&) override {}
  void on_rule(const Node& node, std::span<const Tensor> results) override;
  void on_part(std::string_view name) override;

 private:
  struct Open {
    double start;
    std::int64_t allocations;
    double inside = 0;  // seconds of what has run inside it
  };
  double now() const;
  void close(ProfileEvent event);
  template <class NameOf>
  std::vector<ProfileRow> rows(NameOf name_of) const;

  std::int64_t started_;  // nanoseconds of the steady clock
  double stopped_ = -1;
  Tracer* const watched_before_;
  std::vector<Open> open_;
  std::vector<ProfileEvent> events_;
  // What each op of each module last computed, for its gradient rule.
  std::map<std::pair<std::string_view, ScopeId>, double> flops_;
};

/// Two tables: time, share, GFLOP/s, bytes and allocations by op and by module.
std::ostream& operator<<(std::ostream& out, const Profiler& profiler);

}  // namespace eigengrad
