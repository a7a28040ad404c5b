#include "eigengrad/train/report.h"

#include <gtest/gtest.h>

namespace eigengrad::train {
namespace {

// What a report says on standard error, which is no terminal in a test.
template <class F>
std::string told(F f) {
  testing::internal::CaptureStderr();
  start_logging();
  f();
  return testing::internal::GetCapturedStderr();
}

TrainState state_at(double seconds, std::int64_t step) {
  return {.step = step, .seconds = seconds, .metrics = {{"loss", 1.5}}};
}

TEST(ConsoleReport, ALongEpochTellsHowFarItHasCome) {
  ConsoleReport report(100);  // a run that is resumed
  EXPECT_EQ(told([&] {
              report.on_fit_begin(50);
              report.on_step_end(state_at(101, 1));
              report.on_step_end(state_at(129, 2));
              report.on_step_end(state_at(131, 3));
              report.on_step_end(state_at(132, 4));
              report.on_epoch_end({.epoch = 1, .step = 50, .seconds = 150, .metrics = {{"loss", 2.5e7}}});
              report.on_step_end({.step = 51, .epoch = 1, .seconds = 179, .metrics = {{"loss", 0.5}}});
              report.on_step_end({.step = 52, .epoch = 1, .seconds = 181, .metrics = {{"loss", 0.00025}}});
            }),
            "epoch   1  step 3 of 50, loss 1.5000\n"
            "epoch   1  loss 2.50e+07  (50.0 s)\n"
            "epoch   2  step 2 of 50, loss 2.50e-04\n");
}

}  // namespace
}  // namespace eigengrad::train
