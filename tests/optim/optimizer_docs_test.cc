// docs/optimizers.md is what the tables of optimizers and schedules say.
#include "eigengrad/optim/build.h"
#include "eigengrad/optim/build_schedule.h"
#include "tests/table_docs.h"

namespace eigengrad::optim {
namespace {

constexpr const char* kUpdate =
    "EIGENGRAD_UPDATE_DOCS=1 build/release/bin/optim_tests --gtest_filter='OptimizerDocs.*'";

constexpr const char* kIntroduction = R"(
What a configuration can name, with its options; in C++ they are `optim::SGD` and so on, made from a struct of the same
options: `optim::SGD optimizer(model.parameters(), {.lr = 0.1, .momentum = 0.9})`. Names, arguments and defaults are
PyTorch's (but for Lion, which it has not got, and whose are the paper's); `betas` are `beta1` and `beta2`. Every one is
held against PyTorch over 20 steps, and every schedule over 100 (`tests/optim`). The formulas stand in the headers of
`optim/`.

```json
"optimizer": {"type": "AdamW", "lr": 0.003, "groups": [{"parameters": ["*.bias", "*norm*"], "weight_decay": 0}]},
"lr_scheduler": [{"type": "LinearLR", "total_iters": 100, "interval": "step"},
                 {"type": "CosineAnnealingLR", "T_max": 20}],
"training": {"batch_size": 32, "accumulate": 4, "clip_grad_norm": 1, "ema": {"decay": 0.999, "warmup": true}}
```

- `"groups"` give parameters options of their own, by patterns of their names in which `*` stands for any characters and
  `?` for one. Options that a group leaves out are those of the optimizer. In C++: `optimizer.add_group(...)`.
- `"optimizer"` may be an array, in which each but the last says by `"parameters"` what it takes: Muon for matrices and
  AdamW for the rest, say. In C++: `optim::CombinedOptimizer`.
- `"lr_scheduler"` may be an array of schedules, each of which goes on from the rates that the others leave. `"interval"`
  says whether it goes on after every epoch or every step. In C++: `trainer.add_schedule(schedule, optim::Interval::Step)`,
  or `schedule.step()` in a loop of one's own.
- `"accumulate"` batches make a step together, as one batch of all their samples would (batch normalisation apart).
- `"clip_grad_norm"` scales gradients down to a norm, `"clip_grad_value"` limits each element; the norm comes first.
- `"ema"` keeps a moving average of the weights (`optim::EMA`), with which the model is validated, tested and saved.

Where PyTorch's figures are not these: its Muon orthogonalises in bfloat16, this one in the dtype of the parameters (or in
bfloat16 under `"precision": "bfloat16"`); its OneCycleLR goes on beyond the last step, this one stays there.

What optimizers, schedules and averages remember is in their `state_dict()`: loaded into others made from the same
options, training goes on with the same bits.
)";

std::string reference() {
  return fmt::format("# Optimizers and schedules\n\n<!-- Written by {} -->\n{}\n## Optimizers\n{}\n## Schedules\n{}",
                     kUpdate, kIntroduction, section(optimizers()), section(schedules()));
}

TEST(OptimizerDocs, AreThoseOfTheTables) { expect_documented("docs/optimizers.md", reference(), kUpdate); }

}  // namespace
}  // namespace eigengrad::optim
