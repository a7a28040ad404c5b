#include "eigengrad/train/run.h"

#include <filesystem>
#include <iostream>
#include <sstream>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/data/loader.h"
#include "eigengrad/io/file.h"
#include "eigengrad/io/graph.h"
#include "eigengrad/io/onnx.h"
#include "eigengrad/io/profile.h"
#include "eigengrad/io/safetensors.h"
#include "eigengrad/nn/summary.h"
#include "eigengrad/train/inspect.h"
#include "eigengrad/train/report.h"

namespace eigengrad::train {
namespace {

namespace fs = std::filesystem;
using config::Value;

constexpr std::int64_t kEvaluationBatch = 256;

std::string in(const std::string& folder, const char* file) { return (fs::path(folder) / file).string(); }

void make_run_folder(const std::string& folder) {
  std::error_code error;
  EG_CHECK(!fs::exists(in(folder, "config.json"), error), IoError, "there is a run in {} already: give another folder",
           folder);
  fs::create_directories(folder, error);
  EG_CHECK(!error, IoError, "cannot make the folder {}: {}", folder, error.message());
}

std::string shape_text(const Shape& shape) { return to_string(shape); }

void log_run(const Run& run, const std::string& folder) {
  if (!run.data.note.empty()) log_warning(run.data.note);
  log_info("data: " + run.data.train->description());
  const std::int64_t first = 0;
  const Tensor example = run.data.train->get({&first, 1}).inputs;
  log_info(fmt::format("model: {} parameters, inputs of shape {}\n{}", run.model->parameter_count(),
                       shape_text(run.data.train->input_shape()), nn::to_string(nn::summary(*run.model, example))));
  log_info(fmt::format("seed {}, {} thread{}, results in {}", run.seed, num_threads(), num_threads() == 1 ? "" : "s",
                       folder));
}

void add_evaluation(Value& figures, nn::Module& model, nn::Loss& loss, const data::DatasetPtr& test) {
  const data::DataLoader loader(test, {.batch_size = kEvaluationBatch});
  const Evaluation evaluation = evaluate(model, loss, loader);
  if (evaluation.accuracy) figures.set("test_accuracy", *evaluation.accuracy);
  figures.set("test_loss", evaluation.loss);
  figures.set("test_samples", evaluation.samples);
  log_info(evaluation.accuracy ? fmt::format("test: loss {:.4f}, accuracy {:.2f} % of {} samples", evaluation.loss,
                                             100 * *evaluation.accuracy, evaluation.samples)
                               : fmt::format("test: loss {:.4f}, {} samples", evaluation.loss, evaluation.samples));
}

Trainer make_trainer(Run& run, const std::string& folder) {
  Trainer trainer(*run.model, *run.loss, *run.optimizer,
                  {.clip_grad_norm = run.training.clip_grad_norm,
                   .clip_grad_value = run.training.clip_grad_value,
                   .accumulate = run.training.accumulate,
                   .precision = run.training.precision});
  for (auto& criterion : run.stopping) trainer.stop_when(std::move(criterion));
  for (const auto& [schedule, interval] : run.schedules) trainer.add_schedule(*schedule, interval);
  if (run.average) trainer.average_with(*run.average);
  trainer.add_callback(std::make_unique<ConsoleReport>());
  trainer.add_callback(std::make_unique<MetricsFile>(in(folder, "metrics.jsonl")));
  return trainer;
}

FitResult fit(Run& run, const std::string& folder) {
  const auto seed = static_cast<std::uint64_t>(run.seed);
  const auto [train, valid] = data::random_split(run.data.train, run.training.valid_fraction, seed);
  EG_CHECK(train->size() > 0, ConfigError, "/training/valid_fraction: {} leaves nothing to train on",
           run.training.valid_fraction);
  data::DataLoader train_loader(train, {.batch_size = run.training.batch_size,
                                        .shuffle = run.training.shuffle,
                                        .drop_last = run.training.drop_last,
                                        .seed = seed});
  EG_CHECK(train_loader.batches() > 0, ConfigError,
           "/training/batch_size: {} samples do not fill a batch of {}, and drop_last leaves it out", train->size(),
           run.training.batch_size);
  const data::DataLoader valid_loader(valid, {.batch_size = kEvaluationBatch});
  return make_trainer(run, folder).fit(train_loader, valid->size() > 0 ? &valid_loader : nullptr);
}

void write_profile(const Profiler& profiler, const std::string& folder) {
  std::ostringstream tables;
  tables << profiler;
  io::write_file(in(folder, "profile.txt"), tables.str());
  io::write_file(in(folder, "profile.json"), io::to_chrome_trace(profiler));
  std::cerr << tables.str() << "The trace is in " << in(folder, "profile.json")
            << ": open it in chrome://tracing or ui.perfetto.dev\n";
}

}  // namespace

RunReport run_training(const Value& config, const std::string& source, const RunPlaces& places) {
  Run run = build_run(config, source, places.data_folder);
  check_memory(run);
  make_run_folder(places.out_folder);
  start_logging(in(places.out_folder, "log.txt"));
  io::write_file(in(places.out_folder, "config.json"), config::to_json(run.resolved) + "\n");
  log_run(run, places.out_folder);

  const FitResult result = [&] {
    if (!places.profile) return fit(run, places.out_folder);
    Profiler profiler;
    FitResult fitted = fit(run, places.out_folder);
    profiler.stop();
    write_profile(profiler, places.out_folder);
    return fitted;
  }();
  const optim::EMA::Applied averages(run.average.get());
  io::save_safetensors(in(places.out_folder, "model.safetensors"), run.model->state_dict(), {{"format", "eigengrad"}});
  RunReport report;
  report.failed = result.stopped_by.kind == StopKind::NonFinite;
  if (!report.failed) add_evaluation(report.figures, *run.model, *run.loss, run.data.test);
  report.figures.set("stopped_by", to_string(result.stopped_by.kind));
  report.figures.set("reason", result.stopped_by.text);
  report.figures.set("epochs", result.state.epoch);
  report.figures.set("steps", result.state.step);
  report.figures.set("seconds", result.state.seconds);
  report.figures.set("data", run.data.train->description());
  report.figures.set("run", places.out_folder);
  io::write_file(in(places.out_folder, "result.json"), config::to_json(report.figures) + "\n");
  return report;
}

RunReport run_evaluation(const std::string& run_folder, const std::string& data_folder) {
  const std::string file = in(run_folder, "config.json");
  Run run = build_run(config::read_json_file(file), file, data_folder);
  run.model->load_state_dict(io::load_safetensors(in(run_folder, "model.safetensors")).tensors);
  start_logging();
  if (!run.data.note.empty()) log_warning(run.data.note);
  RunReport report;
  add_evaluation(report.figures, *run.model, *run.loss, run.data.test);
  report.figures.set("data", run.data.test->description());
  report.figures.set("run", run_folder);
  return report;
}

void export_onnx(const std::string& run_folder, const std::string& data_folder, const std::string& file,
                 std::int64_t opset) {
  const std::string source = in(run_folder, "config.json");
  const RunModel run = build_run_model(config::read_json_file(source), source, data_folder);
  run.model->load_state_dict(io::load_safetensors(in(run_folder, "model.safetensors")).tensors);
  io::save_onnx(file, *run.model, run.input, {.opset = opset});
}

std::vector<std::string> draw_graph(const Value& config, const std::string& source, const std::string& data_folder,
                                    const std::string& dot_file, std::int64_t samples) {
  const Run run = build_run(config, source, data_folder);
  const data::DataLoader loader(run.data.train, {.batch_size = samples, .prefetch = 0});
  const std::optional<data::Batch> batch = loader.epoch(0).next();
  EG_CHECK(batch, ConfigError, "/data: there is no sample to draw");
  io::GraphTrace trace;
  for (const auto& [name, parameter] : run.model->named_parameters()) trace.set_name(parameter, name);
  trace.set_name(batch->inputs, "inputs");
  trace.set_name(batch->targets, "targets");
  const Tensor cost = (*run.loss)((*run.model)(batch->inputs), batch->targets);
  trace.set_name(cost, "cost");
  cost.backward();
  io::write_file(dot_file,
                 trace.to_dot({.title = fmt::format("{}: one step over {} samples", source, batch->inputs.size(0))}));
  std::vector<std::string> files{dot_file};
  const std::string svg_file = fs::path(dot_file).replace_extension(".svg").string();
  if (io::render_svg(dot_file, svg_file)) files.push_back(svg_file);
  return files;
}

}  // namespace eigengrad::train
