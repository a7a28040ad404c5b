// The eigengrad command: a thin shell over train/.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <iostream>
#include <limits>
#include <sstream>
#include <type_traits>

#include "eigengrad/config/diagnostics.h"
#include "eigengrad/config/reader.h"
#include "eigengrad/core/error.h"
#include "eigengrad/core/parallel.h"
#include "eigengrad/io/file.h"
#include "eigengrad/ops/engine.h"
#include "eigengrad/train/generate.h"
#include "eigengrad/train/html_report.h"
#include "eigengrad/train/inspect.h"
#include "eigengrad/train/predict.h"
#include "eigengrad/train/report.h"
#include "eigengrad/train/run.h"
#include "eigengrad/train/run_files.h"
#include "eigengrad/train/stopping.h"

namespace {

using namespace eigengrad;

constexpr int kDone = 0, kRunFailed = 1, kBadInput = 2, kSignalled = 128;

struct Arguments {
  std::string config_file, resumed, run_folder, data_folder, out, csv_file, onnx_file, graph_file = "graph.dot";
  std::string prompt, prompt_file;
  std::vector<std::string> settings, files;
  std::int64_t samples = 2, top = 3, opset = 17, seed = 0;
  train::GenerateOptions generate;
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

bool is_folder(const std::string& path) {
  std::error_code error;
  return std::filesystem::is_directory(path, error);
}

// The folder of a run stands for the configuration in it, and says where its data are.
void look_into_run_folder(Arguments& arguments) {
  const std::string folder = arguments.config_file, file = io::file_in(folder, "config.json");
  std::error_code error;
  if (!is_folder(folder)) return;
  if (!std::filesystem::exists(file, error))
    throw IoError(printable(folder) + ": found a folder without config.json, expected a configuration (a JSON file) " +
                  "or the folder of a run");
  arguments.config_file = file;
  arguments.data_folder = train::data_folder_of(folder, arguments.data_folder);
}

// Files that are there are replaced when their names say that they are of the kind that is written.
void check_replaceable(const std::string& file, const std::vector<std::string>& endings) {
  const std::string ending = std::filesystem::path(file).extension().string();
  std::string list;
  std::error_code error;
  if (std::find(endings.begin(), endings.end(), ending) != endings.end() || !std::filesystem::exists(file, error))
    return;
  for (const std::string& one : endings) list += (list.empty() ? "" : " or ") + one;
  throw IoError(printable(file) + " is there already, and its name does not say that it may be replaced: expected a " +
                "new file, or one that ends with " + list);
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
  if (is_folder(arguments.config_file))
    throw ConfigError("train: found the folder " + printable(arguments.config_file) +
                      ", expected a configuration (a JSON file); to go on with a run, use --resume " +
                      printable(arguments.config_file));
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
  if (!arguments.csv_file.empty()) check_replaceable(arguments.csv_file, {".csv", ".tsv", ".txt"});
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

std::string prompt_of(const Arguments& arguments) {
  constexpr std::size_t kLongest = std::size_t{1} << 20;
  return arguments.prompt_file.empty() ? arguments.prompt : io::read_file(arguments.prompt_file, kLongest);
}

int generate_command(Arguments arguments) {
  arguments.generate.seed = static_cast<std::uint64_t>(arguments.seed);
  const std::string prompt = prompt_of(arguments);
  const train::TextGenerator generator(arguments.run_folder);
  const train::StopSignal signals;
  bool begun = arguments.json;
  const std::string text = generator.generate(prompt, arguments.generate, [&](const std::string& character) {
    // The prompt is not printed before it is known to be one.
    if (!arguments.json) std::cout << (begun ? "" : prompt) << character << std::flush;
    begun = true;
    return train::StopSignal::received() == 0;
  });
  config::Value figures = config::Value::object();
  figures.set("prompt", prompt);
  figures.set("text", text);
  std::cout << (arguments.json ? config::to_json(figures, -1) : "") << std::endl;
  const int signal = train::StopSignal::received();
  return signal != 0 ? kSignalled + signal : kDone;
}

int graph_command(Arguments arguments) {
  check_replaceable(arguments.graph_file, {".dot", ".gv", ".svg"});
  look_into_run_folder(arguments);
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

int check_command(Arguments arguments) {
  look_into_run_folder(arguments);
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

int inspect_command(Arguments arguments) {
  look_into_run_folder(arguments);
  const train::Inspection inspection =
      train::inspect_run(read_config(arguments), arguments.config_file, arguments.data_folder);
  if (arguments.json)
    std::cout << config::to_json(to_json(inspection), -1) << std::endl;
  else
    std::cout << to_string(inspection) << std::flush;
  return kDone;
}

int export_command(const Arguments& arguments) {
  check_replaceable(arguments.onnx_file, {".onnx"});
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

void add_run(CLI::App& command, Arguments& arguments) {
  command.add_option("run", arguments.run_folder, "The folder of the run")->required()->type_name("RUN_DIR");
}

void add_data(CLI::App& command, Arguments& arguments) {
  command.add_option("--data", arguments.data_folder, "Folder with the data: the files of MNIST, a table, images")
      ->type_name("DIR");
}

void add_json(CLI::App& command, Arguments& arguments, const std::string& what) {
  command.add_flag("--json", arguments.json, "Print " + what + " on standard output");
}

void add_settings(CLI::App& command, Arguments& arguments) {
  command
      .add_option("--set", arguments.settings,
                  "Change a value of the configuration, such as optimizer.lr=0.05; may be repeated")
      ->type_name("NAME=VALUE")
      ->take_all()
      ->expected(1);
}

void add_config(CLI::App& command, Arguments& arguments) {
  command.add_option("config", arguments.config_file, "The run, as a JSON file, or the folder of one")
      ->required()
      ->type_name("FILE");
  add_settings(command, arguments);
}

// A number between two bounds, which help tells in words.
template <class T>
void add_number(CLI::App& command, const std::string& name, T& value, T min, T max, const std::string& help) {
  std::ostringstream standard, range;
  standard << help << " (default: " << value << ")";
  range << "expected " << (std::is_integral_v<T> ? "an integer" : "a number") << " of at least " << min;
  if (max < std::numeric_limits<T>::max()) range << " and at most " << max;
  const auto check = [min, max, expected = range.str()](const std::string& text) {
    T number{};
    const bool fits = CLI::detail::lexical_cast(text, number) && number >= min && number <= max;
    return fits ? "" : "found '" + printable(text) + "', " + expected;
  };
  command.add_option(name, value, standard.str())->type_name("N")->check(check, "");
}

void add_generate(CLI::App& command, Arguments& arguments) {
  constexpr std::int64_t kMost = std::numeric_limits<std::int64_t>::max();
  train::GenerateOptions& o = arguments.generate;
  add_run(command, arguments);
  CLI::Option* const prompt =
      command.add_option("--prompt", arguments.prompt, "What the text begins with (default: the beginning of a line)")
          ->type_name("TEXT");
  command.add_option("--prompt-file", arguments.prompt_file, "A file that holds it, in UTF-8")
      ->type_name("FILE")
      ->excludes(prompt);
  add_number<std::int64_t>(command, "--length", o.length, 1, kMost, "How many characters to make");
  add_number(command, "--temperature", o.temperature, 0.0, std::numeric_limits<double>::max(),
             "Below 1 the text is surer, above 1 more surprising; at 0 the likeliest character follows");
  add_number<std::int64_t>(command, "--top-k", o.top_k, 0, kMost,
                           "Draw among so many of the likeliest characters; 0: among all");
  add_number<std::int64_t>(command, "--seed", arguments.seed, 0, kMost,
                           "Of what is drawn: the same gives the same text");
  add_json(command, arguments, "the prompt and the text that follows it as one JSON object");
}

// Throws when the first word is none of the commands. CLI11 would only say that there must be one.
void check_command_name(const CLI::App& app, const std::string& word) {
  const bool is_option = word.starts_with('-');
  std::vector<std::string> known;
  if (is_option)
    known = {"-h", "--help", "--version"};
  else
    for (const CLI::App* const command : app.get_subcommands(nullptr)) known.push_back(command->get_name());
  if (std::find(known.begin(), known.end(), word) != known.end()) return;
  config::Diagnostics diagnostics("eigengrad");
  diagnostics.unknown_name("", {}, is_option ? "option" : "command", word, known);
  diagnostics.throw_if_any();
}

// Throws when what is left of the command line looks like a mistyped option.
void check_option_name(const CLI::App& app) {
  const std::vector<std::string> rest = app.remaining(true);
  if (rest.empty() || !rest[0].starts_with("--") || app.get_subcommands().empty()) return;
  const CLI::App& command = *app.get_subcommands()[0];
  std::vector<std::string> known;
  for (const CLI::Option* const option : command.get_options())
    for (const std::string& name : option->get_lnames()) known.push_back("--" + name);
  config::Diagnostics diagnostics("eigengrad " + command.get_name());
  diagnostics.unknown_name("", {}, "option", rest[0], known);
  diagnostics.throw_if_any();
}

int parse_and_run(int argc, char** argv) {
  Arguments arguments;
  CLI::App app{
      "Eigengrad trains neural networks. Everything it says goes to standard error, but for --json, predictions and "
      "texts."};
  app.name("eigengrad");
  app.set_version_flag("--version", EIGENGRAD_VERSION);
  app.require_subcommand(1);
  app.footer(
      "Exit status: 0 done, 1 the run failed, 2 the input was wrong, 130 or 143 SIGINT or SIGTERM ended it.\n\n"
      "First steps:  eigengrad train examples/mnist/mlp.json");

  CLI::App* const train = app.add_subcommand("train", "Train the model of a configuration, and test it");
  train->add_option("config", arguments.config_file, "The run, as a JSON file")->type_name("FILE");
  add_settings(*train, arguments);
  add_data(*train, arguments);
  add_json(*train, arguments, "the final figures as one JSON object");
  train->add_option("--out", arguments.out, "Folder for the results (default: a new one below runs/)")
      ->type_name("RUN_DIR");

  train
      ->add_option("--resume", arguments.resumed,
                   "Go on with the run in that folder, from its newest checkpoint; with --set, beyond its end")
      ->type_name("RUN_DIR");
  train->add_flag("--profile", arguments.profile,
                  "Say where the time went: tables, and a trace for chrome://tracing in the run's folder");

  CLI::App* const evaluate = app.add_subcommand("evaluate", "Test the model that a run has left in its folder");
  add_run(*evaluate, arguments);
  add_data(*evaluate, arguments);
  add_json(*evaluate, arguments, "the final figures as one JSON object");

  CLI::App* const report =
      app.add_subcommand("report", "Make the page report.html of a run again, from what is in its folder");
  add_run(*report, arguments);
  add_data(*report, arguments);
  add_json(*report, arguments, "where the page is as one JSON object");

  CLI::App* const predict = app.add_subcommand("predict", "Ask the model that a run has left about files");
  add_run(*predict, arguments);
  predict
      ->add_option("files", arguments.files,
                   "PNG images, folders of them (with all below), IDX files of images; CSV tables with the run's "
                   "features")
      ->required()
      ->type_name("FILE");
  predict->add_option("--csv", arguments.csv_file, "Write the predictions to a table")->type_name("OUT");
  add_json(*predict, arguments, "the predictions as a JSON array");
  add_number<std::int64_t>(*predict, "--top", arguments.top, 1, 1'000'000, "How many of the likeliest classes to tell");

  CLI::App* const generate =
      app.add_subcommand("generate", "Have the model that a run on a text has left go on with a text");
  add_generate(*generate, arguments);

  CLI::App* const graph = app.add_subcommand("graph", "Draw the graph of one step, with values and gradients");
  add_config(*graph, arguments);
  add_data(*graph, arguments);
  add_json(*graph, arguments, "the files written as one JSON object");
  graph
      ->add_option("--out", arguments.graph_file,
                   "The file to write, in Graphviz's language; the SVG goes beside it (default: graph.dot)")
      ->type_name("FILE");
  add_number<std::int64_t>(*graph, "--samples", arguments.samples, 1, 1024, "Samples in the step");

  CLI::App* const check = app.add_subcommand("check", "Look for mistakes in a configuration, without training");
  add_config(*check, arguments);
  add_data(*check, arguments);
  add_json(*check, arguments, "what was checked, and what could not be, as one JSON object");

  CLI::App* const inspect =
      app.add_subcommand("inspect", "Say what a model is made of, and how much memory its training will take");
  add_config(*inspect, arguments);
  add_data(*inspect, arguments);
  add_json(*inspect, arguments, "layers and memory as one JSON object");

  CLI::App* const exporting = app.add_subcommand("export", "Write the model of a run as an ONNX file");
  add_run(*exporting, arguments);
  exporting->add_option("file", arguments.onnx_file, "The file to write")->required()->type_name("FILE");
  add_number<std::int64_t>(*exporting, "--opset", arguments.opset, 17, 21, "The version of ONNX's operators");
  add_data(*exporting, arguments);

  CLI::App* const schema = app.add_subcommand("schema", "Print the JSON Schema of configurations, for editors");

  CLI::App* const info = app.add_subcommand("info", "Say what this build computes with");
  add_json(*info, arguments, "it as one JSON object");

  if (argc > 1) check_command_name(app, argv[1]);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() != 0) check_option_name(app);
    return app.exit(error, std::cout, std::cerr) == 0 ? kDone : kBadInput;
  }
  if (*train) return train_command(arguments);
  if (*evaluate) return evaluate_command(arguments);
  if (*report) return report_command(arguments);
  if (*predict) return predict_command(arguments);
  if (*generate) return generate_command(arguments);
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
