#include "eigengrad/io/graph.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "eigengrad/autograd/autograd.h"
#include "eigengrad/nn/nn.h"
#include "eigengrad/ops/ops.h"

namespace eigengrad::io {
namespace {

// Every node of the drawing: its title, value and gradient.
std::vector<std::string> rows_of(const std::string& dot) {
  std::vector<std::string> rows;
  for (std::size_t at = 0; (at = dot.find(" [label=", at)) != std::string::npos; ++at) {
    std::string text;
    bool tag = false;
    for (std::size_t i = at + 9; dot.compare(i, 9, "</table>>") != 0; ++i) {
      if (dot[i] == '<') tag = true, text += text.empty() || text.back() == ' ' ? "" : " ";
      if (!tag) text += dot[i];
      if (dot[i] == '>') tag = false;
    }
    rows.push_back(text.substr(0, text.find_last_not_of(' ') + 1));
  }
  return rows;
}

TEST(GraphTrace, DrawsTheSeed) {
  GraphTrace trace;
  Tensor x = tensor(1.f).set_requires_grad(), y = tensor(3.f).set_requires_grad(), z = tensor(-3.f).set_requires_grad();
  const Tensor p = x + y, g = p * z;
  g.backward();
  trace.set_name(x, "x");
  trace.set_name(y, "y");
  trace.set_name(z, "z");
  trace.set_name(p, "p");
  trace.set_name(g, "g");
  const std::string dot = trace.to_dot();
  EXPECT_EQ(rows_of(dot),
            (std::vector<std::string>{"x value 1 grad -3", "y value 3 grad -3", "p  =  +  (add) value 4 grad -3",
                                      "z value -3 grad 4", "g  =  ×  (mul) value -12 grad 1"}));
  for (const char* edge : {"n0 -> n2", "n1 -> n2", "n2 -> n4", "n3 -> n4"})
    EXPECT_NE(dot.find(edge), std::string::npos) << edge;
  EXPECT_EQ(trace.size(), 5u);
}

TEST(GraphTrace, FramesModulesAndSummarizesLargeTensors) {
  GraphTrace trace;
  nn::Sequential model(nn::Linear(3, 4), nn::Sequential(nn::Tanh()));
  for (const auto& [name, parameter] : model.named_parameters()) trace.set_name(parameter, name);
  sum(model(ones({2, 3}))).backward();
  const std::string dot = trace.to_dot();
  for (const char* word : {"<b>0</b>", "<b>1.0</b>", "subgraph cluster", "0.weight", "0.bias", "[2, 4]", "mean"})
    EXPECT_NE(dot.find(word), std::string::npos) << word;
  EXPECT_EQ(trace.to_dot({.group_by_module = false}).find("subgraph"), std::string::npos);
}

TEST(GraphTrace, WatchesOnlyWhileItLives) {
  const Tensor x = ones({2});
  {
    const GraphTrace outer;
    const Tensor before = x + 1;
    {
      const GraphTrace inner;
      const Tensor y = x * 2;
      EXPECT_EQ(inner.size(), 3u);
    }
    EXPECT_EQ(outer.size(), 3u);
  }
  const Tensor after = x + x;
  EXPECT_EQ(thread_state.tracer, nullptr);
}

TEST(GraphTrace, MarksWhatIsNotFinite) {
  GraphTrace trace;
  const Tensor y = log(tensor({-1.f, 1.f})), z = tensor({1.f, 2.f}) * 2;
  const std::string dot = trace.to_dot();
  EXPECT_NE(dot.find("nan"), std::string::npos);
  EXPECT_NE(dot.find("#dc2626"), std::string::npos);
  GraphTrace fine;
  const Tensor w = tensor({1.f, 2.f}) * 2;
  EXPECT_EQ(fine.to_dot().find("#dc2626"), std::string::npos);
}

TEST(GraphTrace, EscapesNames) {
  GraphTrace trace;
  trace.set_name(ones({1}), "a<b>&\"c\"\x1b");
  const std::string dot = trace.to_dot({.title = "<title>"});
  EXPECT_NE(dot.find("a&lt;b&gt;&amp;&quot;c&quot; "), std::string::npos) << dot;
  EXPECT_NE(dot.find("&lt;title&gt;"), std::string::npos);
}

TEST(GraphTrace, ShowsEmptyTensors) {
  GraphTrace trace;
  const Tensor y = zeros({0, 3}) + 1;
  EXPECT_NE(trace.to_dot().find("empty"), std::string::npos);
}

}  // namespace
}  // namespace eigengrad::io
