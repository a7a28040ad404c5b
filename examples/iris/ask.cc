// Asks a model that `eigengrad train` has left: ask RUN_DIR FILE...
//
//   eigengrad train examples/iris/iris.json --data examples/iris --out runs/iris
//   ask runs/iris flowers.csv
//
// A file has the columns of the inputs, as iris.csv has them. Without arguments a run is made here first.
#include <eigengrad/eigengrad.h>

#include <fstream>
#include <iostream>

using namespace eigengrad;

namespace {

// What `eigengrad train` does, on a small table.
void make_run(const std::string& folder) {
  std::ofstream table(folder + "-points.csv");
  table << "x,y,side\n";
  for (int i = 0; i < 60; ++i)
    table << i << "," << (i * 7) % 60 << "," << (i < (i * 7) % 60 ? "above" : "below") << "\n";
  table.close();
  const config::Value config = config::parse_json(R"({
    "data": {"type": "CSV", "file": ")" + folder + R"(-points.csv", "label": "side"},
    "model": {"type": "Linear", "out_features": 2}, "loss": "CrossEntropyLoss",
    "training": {"batch_size": 8, "valid_fraction": 0},
    "optimizer": {"type": "Adam", "lr": 0.1}, "stopping": [{"type": "max_epochs", "epochs": 30}]})");
  train::run_training(config, "points", {.data_folder = "", .out_folder = folder});
}

}  // namespace

int main(int argc, char** argv) {
  const std::string run = argc > 1 ? argv[1] : "ask-run";
  if (argc == 1) make_run(run);

  // The model alone: tensors in, tensors out.
  const NoGrad no_grad;
  const auto model = train::load_model(run);
  const train::Predictor predictor(run);
  const Shape one = predictor.reader().input_shape();
  Shape batch = one;
  batch.insert(0, 1);
  std::cout << "of zeros the model says " << (*model)(zeros(batch)) << "\n";

  // Files, with what the run knows of columns, means and classes.
  std::vector<std::string> files(argv + std::min(argc, 2), argv + argc);
  if (argc == 1) files = {run + "-points.csv"};
  for (const std::string& file : files)
    std::cout << train::to_text(predictor.predict(file), predictor.class_names(), 1);
}
