#include "eigengrad/train/predict.h"

#include <algorithm>
#include <numeric>

#include "eigengrad/config/reader.h"
#include "eigengrad/core/check.h"
#include "eigengrad/core/keep_random.h"
#include "eigengrad/data/build.h"
#include "eigengrad/io/file.h"
#include "eigengrad/nn/build.h"
#include "eigengrad/ops/activation.h"
#include "eigengrad/ops/shape.h"
#include "eigengrad/ops/type.h"
#include "eigengrad/train/run_files.h"

namespace eigengrad::train {
namespace {

using config::Value;

constexpr std::int64_t kBatch = 256;

// What a run has left.
struct SavedRun {
  data::InputReaderPtr reader;
  std::shared_ptr<nn::Module> model;
  Shape output;  // of one sample
};

const Value& part(const Value& config, const char* key, const std::string& file) {
  const Value* const found = config.find(key);
  EG_CHECK(found, ConfigError, "{}: '{}' is missing: is it the configuration of a run?", file, key);
  return *found;
}

SavedRun load_run(const std::string& folder) {
  const std::string file = io::file_in(folder, "config.json"), weights = io::file_in(folder, "model.safetensors");
  const Value config = config::read_json_file(file);
  config::Diagnostics diagnostics(printable(file));
  const auto source = data::sources().read(part(config, "data", file), "/data", diagnostics);
  diagnostics.throw_if_any();
  SavedRun run;
  run.reader = data::sources().functions(*source).inputs(source->options.get());
  const KeepRandom keep_random;  // the weights that are drawn are not used
  const nn::BuiltModel built =
      nn::build_model(part(config, "model", file), "/model", run.reader->input_shape(), diagnostics);
  diagnostics.throw_if_any();
  run.model = built.module;
  run.output = built.output;
  const io::NamedTensors tensors = load_weights(folder);
  try {
    run.model->load_state_dict(tensors);
  } catch (const Error& error) {
    throw FormatError(fmt::format("{}: these are not the weights of the model of {}: {}", printable(weights),
                                  printable(file), error.what()));
  }
  run.model->eval();
  return run;
}

// The numbers of the likeliest classes, the first the likeliest.
std::vector<std::size_t> likeliest(const Prediction& prediction, std::int64_t top) {
  std::vector<std::size_t> order(prediction.values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return prediction.values[a] > prediction.values[b]; });
  order.resize(std::min(order.size(), static_cast<std::size_t>(top)));
  return order;
}

// Each value under its name, where they have names.
Value values_of(const Prediction& prediction, const std::vector<std::string>& names) {
  if (names.size() != prediction.values.size()) return Value::Array(prediction.values.begin(), prediction.values.end());
  Value object = Value::object();
  for (std::size_t i = 0; i < names.size(); ++i) object.set(names[i], prediction.values[i]);
  return object;
}

std::string csv_field(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos && !text.starts_with(' ') && !text.ends_with(' ')) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? "\"\"" : std::string(1, c);
  return quoted + "\"";
}

void check_top(std::int64_t top) {
  EG_CHECK(top >= 1, ValueError, "[predict] expected at least the 1 likeliest class, found {}", top);
}

}  // namespace

std::shared_ptr<nn::Module> load_model(const std::string& run_folder) { return load_run(run_folder).model; }

Predictor::Predictor(const std::string& run_folder) {
  SavedRun run = load_run(run_folder);
  reader_ = std::move(run.reader);
  model_ = std::move(run.model);
  class_names_ = reader_->class_names();
  Shape expected = reader_->characters() ? reader_->input_shape() : Shape{};  // one answer, or one at each place
  expected.insert(0, std::ssize(class_names_));
  EG_CHECK(class_names_.empty() || run.output == expected, ConfigError,
           "{}: the output of the model is {}, expected {}: one value for each of the {} classes",
           printable(run_folder), run.output, expected, class_names_.size());
}

Tensor Predictor::predict(const Tensor& inputs) const {
  const NoGrad no_grad;
  const Tensor output = (*model_)(inputs);
  return class_names_.empty() ? reader_->restored(output) : softmax(output, 1);
}

std::vector<Prediction> Predictor::predict(const std::string& path) const {
  std::vector<Prediction> predictions;
  for (const std::string& file : reader_->files(path)) {
    const data::Inputs samples = reader_->read(file);
    for (std::int64_t first = 0; first < samples.inputs.size(0); first += kBatch) {
      const std::int64_t count = std::min(kBatch, samples.inputs.size(0) - first);
      const Tensor output = to(predict(narrow(samples.inputs, 0, first, count)), kFloat64);
      for (std::int64_t i = 0; i < count; ++i)
        predictions.push_back({samples.name(first + i), contiguous(select(output, 0, i)).to_vector<double>()});
    }
  }
  return predictions;
}

Value to_json(const std::vector<Prediction>& predictions, const std::vector<std::string>& class_names, std::int64_t top,
              const std::vector<std::string>& target_names) {
  check_top(top);
  Value list = Value::array();
  for (const Prediction& prediction : predictions) {
    Value object = Value::object();
    object.set("input", prediction.name);
    if (class_names.empty()) {
      object.set("values", values_of(prediction, target_names));
    } else {
      Value likely = Value::array();
      for (const std::size_t i : likeliest(prediction, top)) {
        Value one = Value::object();
        one.set("class", class_names[i]);
        one.set("probability", prediction.values[i]);
        if (likely.as_array()->empty())
          for (const auto& [key, value] : *one.as_object()) object.set(key, value);
        likely.push_back(std::move(one));
      }
      object.set("top", std::move(likely));
    }
    list.push_back(std::move(object));
  }
  return list;
}

std::string to_csv(const std::vector<Prediction>& predictions, const std::vector<std::string>& class_names,
                   const std::vector<std::string>& target_names) {
  std::string text = class_names.empty() ? "input" : "input,class";
  const std::size_t values = predictions.empty() ? class_names.size() : predictions[0].values.size();
  for (std::size_t i = 0; i < values; ++i)
    text += "," + (!class_names.empty()      ? csv_field(class_names[i])
                   : i < target_names.size() ? csv_field(target_names[i])
                   : values == 1             ? "value"
                                             : fmt::format("value_{}", i));
  text += "\n";
  for (const Prediction& prediction : predictions) {
    text += csv_field(prediction.name);
    if (!class_names.empty()) text += "," + csv_field(class_names[likeliest(prediction, 1)[0]]);
    for (const double value : prediction.values) text += fmt::format(",{}", value);
    text += "\n";
  }
  return text;
}

std::string to_text(const std::vector<Prediction>& predictions, const std::vector<std::string>& class_names,
                    std::int64_t top, const std::vector<std::string>& target_names) {
  check_top(top);
  std::string text;
  for (const Prediction& prediction : predictions) {
    text += printable(prediction.name) + "  ";
    std::string says;
    if (class_names.empty())
      for (std::size_t i = 0; i < prediction.values.size(); ++i) {
        const bool named = prediction.values.size() > 1 && i < target_names.size();
        says += fmt::format("{}{}{:.6g}", says.empty() ? "" : ", ", named ? printable(target_names[i]) + " " : "",
                            prediction.values[i]);
      }
    else
      for (const std::size_t i : likeliest(prediction, top))
        says += fmt::format("{}{} ({:.1f} %)", says.empty() ? "" : ", ", printable(class_names[i]),
                            100 * prediction.values[i]);
    text += says + "\n";
  }
  return text;
}

}  // namespace eigengrad::train
