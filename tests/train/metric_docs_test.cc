// docs/metrics.md is what the table of metrics says.
#include "eigengrad/train/metrics.h"
#include "tests/table_docs.h"

namespace eigengrad::train {
namespace {

constexpr const char* kUpdate = "EIGENGRAD_UPDATE_DOCS=1 build/release/bin/train_tests --gtest_filter='MetricDocs.*'";

constexpr const char* kIntroduction = R"(
What is measured besides the loss: over the batches of every training epoch, as they come; over the validation data, with
`valid_` before the name; and over the test data, with `test_`, for `result.json`.

```json
"metrics": ["accuracy", {"type": "top_k_accuracy", "k": 3}, "f1", "confusion_matrix"],
"stopping": [{"type": "no_improvement", "metric": "valid_f1", "patience": 5}, {"type": "max_epochs", "epochs": 100}]
```

```cpp
trainer.add_metric<train::F1Score>().add_metric<train::TopKAccuracy>({.k = 3});
train::evaluate(model, loss, loader, metrics).metrics.at("f1");
```

Stopping criteria and schedules name any of them. Without `"metrics"` it is the accuracy of labels, the binary accuracy
behind `BCELoss` and `BCEWithLogitsLoss`, and `mae` and `rmse` of other numbers. A metric that does not fit the data or
the outputs of the model is a mistake in the configuration. Where a table's targets are standardised
([data.md](data.md)), so are the errors that are measured.

The name of the value is that of the metric, but `top_k_accuracy` with `"k": 3` is `top3_accuracy`, and an average other
than `macro` stands behind the name: `f1_weighted`. `precision`, `recall` and `f1` of every class, and the confusion
matrix (rows: what it was; columns: what was predicted), are tables in `result.json`: `test_f1_per_class`.

Labels are int64 `[N, ...]` for outputs `[N, C, ...]`; those that the loss passes over (`ignore_index`) are not counted.
Sums are kept in float64; definitions and figures are scikit-learn's, with 0 for a division by 0
(`tests/train/metrics_test.cc`). A metric of one's own is a class derived from `train::Metric`.
)";

TEST(MetricDocs, AreThoseOfTheTable) {
  expect_documented(
      "docs/metrics.md",
      fmt::format("# Metrics\n\n<!-- Written by {} -->\n{}{}", kUpdate, kIntroduction, section(metrics())), kUpdate);
}

}  // namespace
}  // namespace eigengrad::train
