#include "eigengrad/train/run.h"

#include <filesystem>
#include <iostream>
#include <sstream>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/file.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/data/loader.h"
#include "eigengrad/io/file.h"
#include "eigengrad/io/graph.h"
#include "eigengrad/io/onnx.h"
#include "eigengrad/io/profile.h"
#include "eigengrad/io/safetensors.h"
#include "eigengrad/nn/summary.h"
#include "eigengrad/ops/shape.h"
#include "eigengrad/train/checkpoint.h"
#include "eigengrad/train/html_report.h"
#include "eigengrad/train/inspect.h"
#include "eigengrad/train/machine.h"
#include "eigengrad/train/report.h"
#include "eigengrad/train/run_files.h"
#include "eigengrad/train/seal.h"
#include "eigengrad/train/tensorboard.h"
#include "eigengrad/train/wording.h"

namespace eigengrad::train {
namespace {

namespace fs = std::filesystem;
using config::Value;
using io::file_in;

void make_run_folder(const std::string& folder) {
  std::error_code error;
  EG_CHECK(!fs::exists(file_in(folder, "config.json"), error), IoError,
           "there is a run in {} already: give another folder, or --resume it", printable(folder));
  io::make_folders(folder);
}

std::string shape_text(const Shape& shape) { return to_string(shape); }

void log_run(const Run& run, const std::string& folder) {
  if (!run.data.note.empty()) log_warning(run.data.note);
  for (const std::string& warning : run.data.warnings) log_warning(warning);
  log_info("data: " + run.data.train->description());
  if (!run.data.target_note.empty()) log_info("targets: " + run.data.target_note);
  const std::int64_t first = 0;
  const Tensor example = run.data.train->get({&first, 1}).inputs;
  log_info(fmt::format("model: {} parameters, inputs of shape {}\n{}", run.model->parameter_count(),
                       shape_text(run.data.train->input_shape()), nn::to_string(nn::summary(*run.model, example))));
  log_info(fmt::format("seed {}, {} thread{}, results in {}", run.seed, num_threads(), num_threads() == 1 ? "" : "s",
                       folder));
}

// A table as nested arrays.
Value to_value(const Tensor& table) {
  if (table.dim() == 0) return table.item();
  Value list = Value::array();
  for (std::int64_t i = 0; i < table.size(0); ++i) list.push_back(to_value(select(table, 0, i)));
  return list;
}

// False when a signal came meanwhile.
bool add_evaluation(Value& figures, Run& run) {
  const data::DataLoader loader(run.data.test, {.batch_size = kEvaluationBatch, .augment = false});
  const Evaluation evaluation =
      evaluate(*run.model, *run.loss, loader, run.metrics, [] { return StopSignal::received() != 0; });
  if (evaluation.stopped) return false;
  std::string line = "test: loss " + shown(evaluation.loss);
  for (const auto& [name, value] : evaluation.metrics) {
    figures.set("test_" + name, value);
    line +=
        name == "accuracy" ? fmt::format(", accuracy {:.2f} %", 100 * value) : fmt::format(", {} {:.4g}", name, value);
  }
  figures.set("test_loss", evaluation.loss);
  figures.set("test_samples", evaluation.samples);
  for (const auto& [name, table] : evaluation.tables) figures.set("test_" + name, to_value(table));
  log_info(line + fmt::format(" of {} samples", evaluation.samples));
  if (!run.data.target_note.empty()) {
    figures.set("targets", run.data.target_note);
    log_info("targets: " + run.data.target_note);
  }
  return true;
}

// Trains a run in its folder, or goes on with what is there of it.
class Training {
 public:
  Training(Run& run, const std::string& folder)
      : run_(run),
        folder_(folder),
        checkpoints_(file_in(folder, "checkpoints")),
        trainer_(*run.model, *run.loss, *run.optimizer,
                 {.clip_grad_norm = run.training.clip_grad_norm,
                  .clip_grad_value = run.training.clip_grad_value,
                  .accumulate = run.training.accumulate,
                  .validate_every = run.training.validate_every,
                  .precision = run.training.precision}) {
    set_up_trainer();
  }

  // Goes back to the newest checkpoint. The reason why training had ended, if it had.
  std::optional<StopReason> resume() {
    const std::optional<CheckpointNotes> notes = checkpoints_.load_newest(*run_.model, trainer_);
    purge_step_ = trainer_.state().step + 1;
    if (!notes) {
      EG_CHECK(!fs::exists(file_in(folder_, "model.safetensors")), IoError,
               "{} has ended, but there is no checkpoint of it left to go on from: train another run",
               printable(folder_));
      log_warning("there is no checkpoint: training begins anew");
      return std::nullopt;
    }
    EG_CHECK(notes->data == run_.data.train->description(), IoError,
             "{} was trained on other data: {}, and not {}; give their folder (--data DIR)", printable(folder_),
             notes->data, run_.data.train->description());
    log_info(fmt::format("resumed after step {}, epoch {}", notes->step, notes->epoch));
    return notes->stopped_by;
  }

  FitResult fit() {
    trainer_.add_callback(std::make_unique<ConsoleReport>(trainer_.state().seconds));
    trainer_.add_callback(std::make_unique<MetricsFile>(file_in(folder_, "metrics.jsonl"), trainer_.history()));
    // Before the checkpoints: what TensorBoard is told of a step that has none is taken back when the run is resumed.
    if (run_.report.tensorboard) {
      auto log = std::make_unique<TensorBoardLog>(file_in(folder_, "tensorboard"), purge_step_);
      if (run_.report.histograms) log->watch(*run_.model);
      trainer_.add_callback(std::move(log));
    }
    trainer_.add_callback(std::make_unique<Checkpoints>(*run_.model, trainer_, checkpoints_, run_.checkpoints.when,
                                                        run_.data.train->description()));
    if (run_.report.html) trainer_.add_callback(std::make_unique<ReportFile>(folder_, run_));
    return trainer_.fit(*run_.train, run_.valid ? &*run_.valid : nullptr);
  }
  FitResult finish(StopReason reason) { return trainer_.finish(std::move(reason)); }

 private:
  void set_up_trainer() {
    for (auto& criterion : run_.stopping) trainer_.stop_when(std::move(criterion));
    trainer_.stop_when(std::make_unique<StopSignal>());
    trainer_.stop_when<StopFile>({.file = file_in(folder_, "STOP")});
    for (const auto& [schedule, interval] : run_.schedules) trainer_.add_schedule(*schedule, interval);
    if (run_.average) trainer_.average_with(*run_.average);
    trainer_.measure(run_.metrics);
    BestOptions best = run_.checkpoints.best;
    if (best.metric.empty() && !run_.valid) return;
    if (best.metric.empty()) best.metric = "valid_loss";
    trainer_.keep_best(best);
  }

  Run& run_;
  const std::string folder_;
  CheckpointFolder checkpoints_;
  Trainer trainer_;
  std::optional<std::int64_t> purge_step_;  // of a run that is resumed: the first that it will take again
};

void write_profile(const Profiler& profiler, const std::string& folder) {
  std::ostringstream tables;
  tables << profiler;
  io::write_file(file_in(folder, "profile.txt"), tables.str());
  io::write_file(file_in(folder, "profile.json"), io::to_chrome_trace(profiler));
  std::cerr << tables.str() << "The trace is in " << file_in(folder, "profile.json")
            << ": open it in chrome://tracing or ui.perfetto.dev\n";
}

}  // namespace

RunReport run_training(const Value& config, const std::string& source, const RunPlaces& places) {
  const std::string& folder = places.out_folder;
  if (places.resume) check_run_folder(folder);
  const std::string data_folder = places.resume ? data_folder_of(folder, places.data_folder) : places.data_folder;
  Run run = build_run(config, source, data_folder);
  check_memory(run);
  if (places.resume)
    if (const std::string other = other_data(folder, *run.data.train); !other.empty())
      throw IoError(
          fmt::format("{} was trained on other data, with which it cannot go on as if it had not been "
                      "stopped: here are {}; give the folder of its data (--data DIR), or train a run of its "
                      "own on these",
                      printable(folder), other));
  if (!places.resume) make_run_folder(folder);
  const io::FolderLock lock(folder);
  io::remove_temporaries(folder);
  start_logging(file_in(folder, "log.txt"));
  write_run_facts(folder, data_folder, *run.data.train);
  io::write_file(file_in(folder, "config.json"), config::to_json(run.resolved) + "\n");
  log_run(run, folder);

  Training training(run, folder);
  const std::optional<StopReason> ended = places.resume ? training.resume() : std::nullopt;
  const bool goes_on = !ended || places.go_on;
  std::error_code ignored;  // what cannot be removed cannot be written either, which is told then
  if (goes_on) fs::remove(file_in(folder, "result.json"), ignored);  // of an earlier end
  const FitResult result = [&] {
    if (!goes_on) {
      log_info("the run has ended already: what follows its training is done again");
      return training.finish(*ended);
    }
    if (!places.profile) return training.fit();
    Profiler profiler;
    FitResult fitted = training.fit();
    profiler.stop();
    write_profile(profiler, folder);
    return fitted;
  }();
  if (result.restored_best)
    log_info(fmt::format("the weights are those of epoch {} (step {}), where {} was {:.6g}", result.best->epoch,
                         result.best->step, result.best->metric, result.best->value));
  RunReport report;
  report.failed = result.stopped_by.kind == kNonFinite;
  if (result.stopped_by.kind == kSignal) {
    report.signal = StopSignal::received();
  } else {
    const optim::EMA::Applied averages(result.restored_best ? nullptr : run.average.get());
    const io::Written weights =
        io::save_safetensors(file_in(folder, "model.safetensors"), run.model->state_dict(), {{"format", "eigengrad"}});
    report.figures.set("weights", seal_of(weights));
    if (!report.failed && !add_evaluation(report.figures, run)) report.signal = StopSignal::received();
    if (!report.failed && !run.data.note.empty()) log_warning(run.data.note);  // again, beside the figures
  }
  if (report.signal != 0) log_info(fmt::format("go on with: eigengrad train --resume {}", folder));
  report.figures.set("stopped_by", result.stopped_by.kind);
  report.figures.set("reason", result.stopped_by.text);
  report.figures.set("epochs", result.state.epoch);
  report.figures.set("steps", result.state.step);
  report.figures.set("seconds", result.state.seconds);
  if (result.best) {
    report.figures.set("best_epoch", result.best->epoch);
    report.figures.set("best_" + result.best->metric, result.best->value);
  }
  report.figures.set("data", run.data.train->description());
  report.figures.set("run", folder);
  report.figures.set("machine", machine_facts());
  if (report.signal == 0) io::write_file(file_in(folder, "result.json"), config::to_json(report.figures) + "\n");
  if (run.report.html) write_report(folder, run);
  return report;
}

RunReport run_evaluation(const std::string& run_folder, const std::string& data_folder) {
  const std::string file = file_in(run_folder, "config.json");
  check_run_folder(run_folder);
  Run run = build_run(config::read_json_file(file), file, data_folder_of(run_folder, data_folder));
  start_logging();
  run.model->load_state_dict(load_weights(run_folder));
  if (!run.data.note.empty()) log_warning(run.data.note);
  if (const std::string other = other_data(run_folder, *run.data.train); !other.empty())
    log_warning("the data are not those that the run was trained on: here are " + other);
  RunReport report;
  add_evaluation(report.figures, run);
  report.figures.set("data", run.data.test->description());
  report.figures.set("run", run_folder);
  return report;
}

void export_onnx(const std::string& run_folder, const std::string& data_folder, const std::string& file,
                 std::int64_t opset) {
  check_run_folder(run_folder);
  const std::string source = file_in(run_folder, "config.json");
  const RunModel run = build_run_model(config::read_json_file(source), source, data_folder_of(run_folder, data_folder));
  run.model->load_state_dict(load_weights(run_folder));
  io::save_onnx(file, *run.model, run.input, {.opset = opset});
}

std::vector<std::string> draw_graph(const Value& config, const std::string& source, const std::string& data_folder,
                                    const std::string& file, std::int64_t samples) {
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
  std::string dot_file = file;
  if (file.ends_with(".svg")) dot_file.replace(file.size() - 4, 4, ".dot");
  io::write_file(dot_file,
                 trace.to_dot({.title = fmt::format("{}: one step over {} samples", source, batch->inputs.size(0))}));
  std::vector<std::string> files{dot_file};
  const std::string svg_file = fs::path(dot_file).replace_extension(".svg").string();
  if (io::render_svg(dot_file, svg_file)) files.push_back(svg_file);
  return files;
}

}  // namespace eigengrad::train
