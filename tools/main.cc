// The eigengrad command: a thin shell over train/.
#include <CLI/CLI.hpp>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <iostream>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/error.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/io/file.h"
#include "eigengrad/ops/engine.h"
#include "eigengrad/train/html_report.h"
#include "eigengrad/train/inspect.h"
#include "eigengrad/train/predict.h"
#include "eigengrad/train/report.h"
#include "eigengrad/train/run.h"

namespace {

using namespace eigengrad;

constexpr int kDone = 0, kRunFailed = 1, kBadInput = 2, kSignalled = 128;

struct Arguments {
  std::string config_file, resumed, run_folder, data_folder, out, csv_file, onnx_file, graph_file = "graph.dot";
  std::vector<std::string> settings, files;
  std::int64_t samples = 2, top = 3, opset = 17;
  bool json = false, profile = false;
};

// The values of --set in place.
config::Value with_settings(config::Value config, const Arguments& arguments) {
  for (const std::string& setting : arguments.settings) {
    const std::size_t equals = setting.find('=');
    if (equals == std::string::npos)
      throw ConfigError("--set " + printable(setting) + ": expected name=value, such as optimizer.lr=0.05");
    config::set_by_path(config, setting.substr(0, equals), setting.substr(equals + 1));
  }
  return config;
}

config::Value read_config(const Arguments& arguments) {
  return with_settings(config::read_json_file(arguments.config_file), arguments);
}

// What is changed must show: the state of a checkpoint would take the place of these.
void check_changes(const config::Value& before, const config::Value& changed) {
  for (const char* const part : {"seed", "model", "optimizer", "lr_scheduler"}) {
    const config::Value *const was = before.find(part), *const is = changed.find(part);
    if (was && is ? !(*was == *is) : was != is)
      throw ConfigError(std::string("/") + part + ": a run that is resumed keeps that of its checkpoint: expected " +
                        "changes of other parts, such as stopping.0.epochs, or a run of its own");
  }
}

// runs/mlp-20260131-120000, with a number behind it when that is taken.
std::string new_run_folder(const std::string& config_file) {
  char stamp[32];
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::strftime(stamp, sizeof stamp, "%Y%m%d-%H%M%S", &local);
  const std::string base = "runs/" + std::filesystem::path(config_file).stem().string() + "-" + stamp;
  std::string folder = base;
  for (int i = 2; std::filesystem::exists(folder); ++i) folder = base + "-" + std::to_string(i);
  return folder;
}

void print_figures(const train::RunReport& report, bool json) {
  if (json) std::cout << config::to_json(report.figures, -1) << std::endl;
}

int train_command(Arguments arguments) {
  const bool resume = !arguments.resumed.empty();
  if (resume == !arguments.config_file.empty())
    throw ConfigError("train: give either a configuration, or --resume with the folder of a run");
  if (resume && !arguments.out.empty()) throw ConfigError("train: --out does not go with --resume");
  if (resume) arguments.config_file = (std::filesystem::path(arguments.resumed) / "config.json").string();
  const config::Value before = config::read_json_file(arguments.config_file);
  const config::Value config = with_settings(before, arguments);
  if (resume) check_changes(before, config);
  if (resume) arguments.out = arguments.resumed;
  if (arguments.out.empty()) arguments.out = new_run_folder(arguments.config_file);
  const train::RunReport report = train::run_training(config, arguments.config_file,
                                                      {.data_folder = arguments.data_folder,
                                                       .out_folder = arguments.out,
                                                       .resume = resume,
                                                       .go_on = !arguments.settings.empty(),
                                                       .profile = arguments.profile});
  print_figures(report, arguments.json);
  return report.signal != 0 ? kSignalled + report.signal : report.failed ? kRunFailed : kDone;
}

int evaluate_command(const Arguments& arguments) {
  print_figures(train::run_evaluation(arguments.run_folder, arguments.data_folder), arguments.json);
  return kDone;
}

int report_command(const Arguments& arguments) {
  const std::string file = train::remake_report(arguments.run_folder, arguments.data_folder);
  std::cerr << "The report is in " << file << "\n";
  config::Value figures = config::Value::object();
  figures.set("file", file);
  if (arguments.json) std::cout << config::to_json(figures, -1) << std::endl;
  return kDone;
}

int predict_command(const Arguments& arguments) {
  const train::Predictor predictor(arguments.run_folder);
  std::vector<train::Prediction> all;
  for (const std::string& file : arguments.files)
    for (train::Prediction& prediction : predictor.predict(file)) all.push_back(std::move(prediction));
  const std::vector<std::string>& names = predictor.class_names();
  const std::vector<std::string> targets = predictor.reader().target_names();
  if (!arguments.csv_file.empty()) io::write_file(arguments.csv_file, train::to_csv(all, names, targets));
  if (arguments.json)
    std::cout << config::to_json(train::to_json(all, names, arguments.top, targets), -1) << std::endl;
  else if (arguments.csv_file.empty())
    std::cout << train::to_text(all, names, arguments.top, targets) << std::flush;
  return kDone;
}

int graph_command(const Arguments& arguments) {
  const auto files = train::draw_graph(read_config(arguments), arguments.config_file, arguments.data_folder,
                                       arguments.graph_file, arguments.samples);
  config::Value list = config::Value::array();
  for (const std::string& file : files) list.push_back(file);
  config::Value figures = config::Value::object();
  figures.set("files", std::move(list));
  std::cerr << "The graph is in " << files[0]
            << (files.size() > 1 ? " and " + files[1] : " (install graphviz to have it drawn as SVG)") << "\n";
  if (arguments.json) std::cout << config::to_json(figures, -1) << std::endl;
  return kDone;
}

int check_command(const Arguments& arguments) {
  const train::RunCheck check = train::check_run(read_config(arguments), arguments.config_file, arguments.data_folder);
  config::Value figures = config::Value::object(), checked = config::Value::object(), rest = config::Value::array(),
                notes = config::Value::array();
  std::cerr << arguments.config_file << " is right\n";
  for (const auto& [part, meaning] : check.checked) {
    std::cerr << "  " << part << std::string(14 - std::min<std::size_t>(part.size(), 13), ' ') << meaning << "\n";
    checked.set(part, meaning);
  }
  for (const std::string& reason : check.not_checked) {
    std::cerr << "not checked: " << reason << "\n";
    rest.push_back(reason);
  }
  for (const std::string& note : check.notes) {
    std::cerr << "note: " << note << "\n";
    notes.push_back(note);
  }
  figures.set("config", arguments.config_file);
  figures.set("parameters", check.parameters);
  figures.set("checked", std::move(checked));
  figures.set("not_checked", std::move(rest));
  figures.set("notes", std::move(notes));
  if (arguments.json) std::cout << config::to_json(figures, -1) << std::endl;
  return kDone;
}

int inspect_command(const Arguments& arguments) {
  const train::Inspection inspection =
      train::inspect_run(read_config(arguments), arguments.config_file, arguments.data_folder);
  if (arguments.json)
    std::cout << config::to_json(to_json(inspection), -1) << std::endl;
  else
    std::cout << to_string(inspection) << std::flush;
  return kDone;
}

int export_command(const Arguments& arguments) {
  train::export_onnx(arguments.run_folder, arguments.data_folder, arguments.onnx_file, arguments.opset);
  std::cerr << "The model is in " << arguments.onnx_file << "\n";
  return kDone;
}

int schema_command() {
  std::cout << config::to_json(train::run_schema()) << std::endl;
  return kDone;
}

int info_command(const Arguments& arguments) {
  config::Value figures = config::Value::object(), engines_found = config::Value::array();
  for (const EngineInfo& engine : engines()) engines_found.push_back(engine.version);
  figures.set("version", EIGENGRAD_VERSION);
  figures.set("engine", engine_name());
  figures.set("engines", std::move(engines_found));
  figures.set("threads", static_cast<std::int64_t>(num_threads()));
  figures.set("instructions", instruction_set());
  if (arguments.json) {
    std::cout << config::to_json(figures, -1) << std::endl;
    return kDone;
  }
  std::cerr << "Eigengrad " << EIGENGRAD_VERSION << "\n"
            << "engine        " << engine_name() << " (EIGENGRAD_ENGINE chooses)\n";
  for (const EngineInfo& engine : engines()) std::cerr << "  " << engine.name << ": " << engine.version << "\n";
  std::cerr << "threads       " << num_threads() << " (EIGENGRAD_NUM_THREADS sets it)\n"
            << "instructions  " << instruction_set() << std::endl;
  return kDone;
}

void add_common_options(CLI::App& command, Arguments& arguments) {
  command.add_option("--data", arguments.data_folder, "Folder with the data: the files of MNIST, a table, images")
      ->type_name("DIR");
  command.add_flag("--json", arguments.json, "Print the final figures as one JSON object on standard output");
}

void add_config_options(CLI::App& command, Arguments& arguments, bool required = true) {
  command.add_option("config", arguments.config_file, "The run, as a JSON file")->required(required)->type_name("FILE");
  command
      .add_option("--set", arguments.settings,
                  "Change a value of the configuration, such as optimizer.lr=0.05; may be repeated")
      ->type_name("NAME=VALUE")
      ->take_all()
      ->expected(1);
}

int parse_and_run(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{
      "Eigengrad trains neural networks. Everything it says goes to standard error, but for --json and predictions."};
  app.name("eigengrad");
  app.set_version_flag("--version", EIGENGRAD_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit status: 0 done, 1 the run failed, 2 the input was wrong, 130 or 143 SIGINT or SIGTERM ended it.\n\n"
      "First steps:  eigengrad train examples/mnist/mlp.json");

  CLI::App* const train = app.add_subcommand("train", "Train the model of a configuration, and test it");
  add_config_options(*train, arguments, false);
  add_common_options(*train, arguments);
  train->add_option("--out", arguments.out, "Folder for the results (default: a new one below runs/)")
      ->type_name("RUN_DIR");

  train
      ->add_option("--resume", arguments.resumed,
                   "Go on with the run in that folder, from its newest checkpoint; with --set, beyond its end")
      ->type_name("RUN_DIR");
  train->add_flag("--profile", arguments.profile,
                  "Say where the time went: tables, and a trace for chrome://tracing in the run's folder");

  CLI::App* const evaluate = app.add_subcommand("evaluate", "Test the model that a run has left in its folder");
  evaluate->add_option("run", arguments.run_folder, "The folder of the run")->required()->type_name("RUN_DIR");
  add_common_options(*evaluate, arguments);

  CLI::App* const report =
      app.add_subcommand("report", "Make the page report.html of a run again, from what is in its folder");
  report->add_option("run", arguments.run_folder, "The folder of the run")->required()->type_name("RUN_DIR");
  add_common_options(*report, arguments);

  CLI::App* const predict = app.add_subcommand("predict", "Ask the model that a run has left about files");
  predict->add_option("run", arguments.run_folder, "The folder of the run")->required()->type_name("RUN_DIR");
  predict
      ->add_option("files", arguments.files, "PNG images, or IDX files of images; CSV tables with the run's features")
      ->required()
      ->type_name("FILE");
  predict->add_option("--csv", arguments.csv_file, "Write the predictions to a table")->type_name("OUT");
  predict->add_flag("--json", arguments.json, "Print the predictions as JSON on standard output");
  predict->add_option("--top", arguments.top, "How many of the likeliest classes to tell")
      ->check(CLI::Range(1, 1'000'000))
      ->capture_default_str();

  CLI::App* const graph = app.add_subcommand("graph", "Draw the graph of one step, with values and gradients");
  add_config_options(*graph, arguments);
  add_common_options(*graph, arguments);
  graph->add_option("--out", arguments.graph_file, "The file to write, in Graphviz's language; the SVG goes beside it")
      ->type_name("FILE")
      ->capture_default_str();
  graph->add_option("--samples", arguments.samples, "Samples in the step")
      ->check(CLI::Range(1, 1024))
      ->capture_default_str();

  CLI::App* const check = app.add_subcommand("check", "Look for mistakes in a configuration, without training");
  add_config_options(*check, arguments);
  add_common_options(*check, arguments);

  CLI::App* const inspect =
      app.add_subcommand("inspect", "Say what a model is made of, and how much memory its training will take");
  add_config_options(*inspect, arguments);
  add_common_options(*inspect, arguments);

  CLI::App* const exporting = app.add_subcommand("export", "Write the model of a run as an ONNX file");
  exporting->add_option("run", arguments.run_folder, "The folder of the run")->required()->type_name("RUN_DIR");
  exporting->add_option("file", arguments.onnx_file, "The file to write")->required()->type_name("FILE");
  exporting->add_option("--opset", arguments.opset, "The version of ONNX's operators")
      ->check(CLI::Range(17, 21))
      ->capture_default_str();
  exporting->add_option("--data", arguments.data_folder, "Folder with the data")->type_name("DIR");

  CLI::App* const schema = app.add_subcommand("schema", "Print the JSON Schema of configurations, for editors");

  CLI::App* const info = app.add_subcommand("info", "Say what this build computes with");
  info->add_flag("--json", arguments.json, "Print it as one JSON object on standard output");

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error, std::cout, std::cerr) == 0 ? kDone : kBadInput;
  }
  if (*train) return train_command(arguments);
  if (*evaluate) return evaluate_command(arguments);
  if (*report) return report_command(arguments);
  if (*predict) return predict_command(arguments);
  if (*info) return info_command(arguments);
  if (*check) return check_command(arguments);
  if (*inspect) return inspect_command(arguments);
  if (*schema) return schema_command();
  if (*exporting) return export_command(arguments);
  return graph_command(arguments);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    train::start_logging();  // warnings are for standard error: the other is for results
    return parse_and_run(argc, argv);
  } catch (const ConfigError& error) {
    std::cerr << error.what() << std::endl;
  } catch (const FormatError& error) {
    std::cerr << error.what() << std::endl;
  } catch (const IoError& error) {
    std::cerr << error.what() << std::endl;
  } catch (const std::exception& error) {
    std::cerr << "The run failed: " << error.what() << std::endl;
    return kRunFailed;
  }
  return kBadInput;
}
