#include "eigengrad/optim/build_schedule.h"

#include "eigengrad/core/check.h"
#include "eigengrad/optim/schedules.h"

namespace eigengrad::optim {
namespace {

using config::Value;

// A row of the table: the options of a schedule, and how often it goes on.
template <class Options>
struct ScheduleConfig {
  Options options;
  Interval interval = std::is_same_v<Options, OneCycleLROptions> ? Interval::Step : Interval::Epoch;
};

template <class Options>
void describe(config::Fields& f, ScheduleConfig<Options>& o) {
  describe(f, o.options);
  f.choice<Interval>("interval", o.interval, {{"epoch", Interval::Epoch}, {"step", Interval::Step}},
                     {.help = "after what it goes on: an epoch, or a step of the optimizer"});
}

// Schedules within a schedule.
struct Parts {
  config::ConfiguredRows rows;

  void describe(config::Fields& f) {
    const auto read = [this](const Value& value, const std::string& pointer, config::Diagnostics& diagnostics) {
      rows = schedules().read_rows(value, pointer, diagnostics);
      if (!value.as_array()) return;
      for (std::size_t i = 0; i < value.as_array()->size(); ++i)
        if (const Value* interval = (*value.as_array())[i].find("interval"))
          diagnostics.add(config::pointer_to(config::pointer_to(pointer, i), std::string_view("interval")),
                          interval->position(), "a schedule within another goes on with it: it has no interval");
    };
    const auto write = [this] {
      Value list = schedules().write_rows(rows);
      for (Value& row : *list.as_array())
        std::erase_if(*row.as_object(), [](const Value::Member& member) { return member.first == "interval"; });
      return list;
    };
    const auto schema = [] {
      Value items = Value::object();
      items.set("$ref", "#/$defs/schedule");
      Value list = Value::object();
      list.set("type", "array");
      list.set("minItems", 1);
      list.set("items", std::move(items));
      return list;
    };
    f.custom("schedulers", {read, write, schema}, {.help = "the schedules", .required = true});
  }

  Schedules make(Optimizer& optimizer) const {
    Schedules made;
    for (const auto& row : rows) made.push_back(schedules().functions(*row).make(optimizer, row->options.get()));
    return made;
  }
};

struct ChainedOptions {
  Parts parts;
};
void describe(config::Fields& f, ChainedOptions& o) { o.parts.describe(f); }

struct SequentialOptions {
  Parts parts;
  std::vector<std::int64_t> milestones;
};
void describe(config::Fields& f, SequentialOptions& o) {
  o.parts.describe(f);
  f("milestones", o.milestones,
    {.help = "epochs at which the next schedule takes over: one fewer than schedules", .required = true, .min = 0});
}

template <class S, class Options>
std::unique_ptr<LRScheduler> make(Optimizer& optimizer, const Options& o) {
  return std::make_unique<S>(optimizer, o);
}
template <>
std::unique_ptr<LRScheduler> make<ChainedScheduler>(Optimizer& optimizer, const ChainedOptions& o) {
  return std::make_unique<ChainedScheduler>(o.parts.make(optimizer));
}
template <>
std::unique_ptr<LRScheduler> make<SequentialLR>(Optimizer& optimizer, const SequentialOptions& o) {
  return std::make_unique<SequentialLR>(optimizer, o.parts.make(optimizer), o.milestones);
}

// OneCycleLR alone spans the whole run.
template <class Row>
auto total_setter() -> void (*)(void*, std::int64_t) {
  if constexpr (std::is_same_v<Row, ScheduleConfig<OneCycleLROptions>>)
    return [](void* row, std::int64_t times) {
      OneCycleLROptions& o = static_cast<Row*>(row)->options;
      if (!o.total_steps && !(o.epochs && o.steps_per_epoch)) o.total_steps = times;
    };
  else
    return nullptr;
}

template <class S, class Options = typename S::Options>
void add_schedule(ScheduleTable& table, std::string help) {
  using Row = ScheduleConfig<Options>;
  table.add<Row>(
      S::kName, std::move(help),
      {[](Optimizer& optimizer, const void* row) { return make<S>(optimizer, static_cast<const Row*>(row)->options); },
       [](const void* row) { return static_cast<const Row*>(row)->interval; }, total_setter<Row>()});
}

ScheduleTable make_schedules() {
  ScheduleTable table("schedule");
  add_schedule<StepLR>(table, "a step down every so many epochs");
  add_schedule<MultiStepLR>(table, "a step down at each of some epochs");
  add_schedule<ExponentialLR>(table, "a step down every epoch");
  add_schedule<ConstantLR>(table, "a smaller rate for some epochs");
  add_schedule<LinearLR>(table, "from one multiple of the rate to another along a line: a warm-up");
  add_schedule<PolynomialLR>(table, "down to 0 along a power");
  add_schedule<CosineAnnealingLR>(table, "down along half a cosine, and up again");
  add_schedule<CosineAnnealingWarmRestarts>(table, "down along half a cosine, again and again");
  add_schedule<OneCycleLR>(table, "one rise and one fall, with the momentum going the other way");
  add_schedule<ReduceLROnPlateau>(table, "a step down when a metric no longer becomes better");
  add_schedule<ChainedScheduler, ChainedOptions>(table, "several schedules at once");
  add_schedule<SequentialLR, SequentialOptions>(table, "several schedules one after another");
  return table;
}

}  // namespace

const ScheduleTable& schedules() {
  static const ScheduleTable table = make_schedules();
  return table;
}

}  // namespace eigengrad::optim
