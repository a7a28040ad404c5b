// docs/data.md is what the tables of data sets and transforms say.
#include "eigengrad/data/build.h"
#include "eigengrad/data/transform.h"
#include "tests/table_docs.h"

namespace eigengrad::data {
namespace {

constexpr const char* kUpdate = "EIGENGRAD_UPDATE_DOCS=1 build/release/bin/data_tests --gtest_filter='DataDocs.*'";

constexpr const char* kIntroduction = R"(
What `"data"` of a configuration can name, with its options. Files are looked for below the folder that `--data DIR` names,
else below the one where the command runs (MNIST needs `--data`), and never beside the configuration. An absolute path is
taken as it is. `eigengrad check` reads the data that `--data` names, and without it a table or a folder of images where it
runs; else it goes by what the options alone say.

```json
"data": {"type": "CSV", "file": "iris.csv", "label": "species", "ignore": ["id"], "missing": "mean"}
"data": {"type": "CSV", "file": "houses.csv", "task": "regression", "label": ["price", "days"], "categorical": ["zip"],
         "standardize_target": true}
"data": {"type": "ImageFolder", "folder": "flowers", "size": 64, "transforms": ["RandomHorizontalFlip",
         {"type": "RandomCrop", "padding": 4}, {"type": "Normalize", "mean": [0.5, 0.5, 0.5], "std": [0.25]}]}
```

- A run completes these options by what it finds in the data: the columns, classes, categories, means and standard
  deviations of a table, the classes and the size of images, the characters of a text. They stand in the `config.json` of
  its folder, and are all that `eigengrad evaluate`, `predict` and `generate` need to treat other files and prompts as those
  data were that the model was trained on.
- A column of texts alone has categories: each becomes an input of its own, which is 1 where the row has it and 0 elsewhere,
  or with `"encoding": "ordinal"` they become their numbers. Columns of categories that look like numbers are named by
  `"categorical"`; `"categories": {"size": ["S", "M", "L"]}` gives them in an order. A column of numbers with a text in it is
  a mistake. What is missing is an error, the mean, or drops the row. `"label"` of a regression may be several columns.
- Inputs of tables are standardised by the mean and standard deviation of the training rows alone. Numbers are read
  without regard to the locale: `1.5`, `-2e-3`, or with `"decimal": ","` as `1,5`.
- With `"standardize_target": true` the loss and the metrics are those of standardised numbers, in which 1 is one standard
  deviation of the column. The log, `report.html` and `evaluate` say how much that is; `predict` answers in the column's own
  numbers.
- Levels of images are 0 to 1 when transforms see them. Random transforms take part in training alone, not in validation
  and tests. What they draw for a sample follows from the seed of the run, the epoch and the number of the sample: not
  from threads, from the order of samples, or from whether the run was resumed.
- The sizes of a model follow from the data as far as its input goes, and need not be given: `in_features` of a first
  `Linear` is the number of inputs of a table (one for each column of numbers, as many as there are categories for one of
  categories), `in_channels` of a first convolution that of the images. The output is the model's own: `out_features` of the
  last layer has to be the number of classes, or of label columns of a regression, and another one is a mistake that
  `check` tells. An `Embedding` for a text needs as many entries as the text has different characters.
- What is wrong in a file is told with its place, the first mistake of a file alone:
  `iris.csv:17:5: column 'petal_length': found 'x', expected a number`. All mistakes of a configuration are told at once.
- A table that can be read may still not be what was meant. A run warns of it once, when it begins, and `check --data DIR` as
  `note:` (with `--json` as `"notes"`): of columns of one value, columns that number or name the rows, numbers with a
  decimal comma, classes with no row or a single one to train on, and numbers to tell whose standard deviation is far from
  1. Each warning names the option that mends it.
- `run.json` of a run's folder has a checksum of the data that it was trained on. Where they have changed since, `evaluate`
  and `report` say so; `train --resume` refuses, for it could not go on as if it had not been stopped.

In C++ these are `data::csv(options, folder)`, `data::image_folder`, `data::cifar10` and so on, with the same options in a
struct. `data::TensorDataset` takes tensors, `data::TransformedDataset` any data set of images, and a class derived from
`data::Dataset` whatever else. `data::DataLoader` makes batches:

```cpp
auto train = std::make_shared<data::TransformedDataset>(
    data::mnist("mnist", true), data::Transforms{data::random_shift({.pixels = 2}), data::random_rotation()}, /*seed=*/1);
data::DataLoader loader(train, {.batch_size = 64, .shuffle = true});
```

Asking a model that a run has left, from the command line and from C++ (`train/predict.h`):

```sh
eigengrad predict runs/iris new.csv --csv answers.csv
eigengrad predict runs/mnist digit.png --top 3
eigengrad predict runs/mnist digits                      # every PNG image below that folder
eigengrad generate runs/gpt --prompt "ROMEO:" --temperature 0.8 --seed 1
```

```cpp
const auto model = train::load_model("runs/mnist");  // tensors in, tensors out
const train::Predictor predictor("runs/mnist");      // files in, probabilities out
for (const train::Prediction& p : predictor.predict("digit.png")) std::cout << p.name << ": " << p.values[7] << "\n";
const train::TextGenerator generator("runs/gpt");    // a text in, and what follows it out (train/generate.h)
std::cout << generator.generate("ROMEO:", {.length = 200, .temperature = 0.8, .seed = 1});
```

PNG images are brought to the size of those of the run; IDX files must have it. A table needs the columns of the inputs, in
any order. Of a folder every PNG image is read, in the folders below it too and sorted by path; files and folders whose name
begins with a dot are left out, and a link to a folder that is among them already is an error.

A prompt is of characters that the text of the run has. Without one the text begins as a line does, or where it has no
line breaks, with what follows the first of its characters. The model sees the last `"length"` characters. The logits are
divided by the temperature, so that below 1 the text is surer, and at 0 the likeliest character follows; `--top-k 10` draws
among the ten likeliest alone. The same seed gives the same text. Characters are printed as they are made; `--json` prints
`{"prompt": ..., "text": ...}` instead, where the second is what follows the first.
)";

std::string reference() {
  return fmt::format("# Data sets and transforms\n\n<!-- Written by {} -->\n{}\n## Data sets\n{}\n## Transforms\n{}",
                     kUpdate, kIntroduction, section(sources()), section(transforms()));
}

TEST(DataDocs, AreThoseOfTheTables) { expect_documented("docs/data.md", reference(), kUpdate); }

}  // namespace
}  // namespace eigengrad::data
