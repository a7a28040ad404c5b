// One module in two places, Sequential by hand, scopes, and what is refused on the way.
#include <gtest/gtest.h>

#include <functional>

#include "eigengrad/core/node.h"
#include "eigengrad/core/random.h"
#include "eigengrad/nn/nn.h"
#include "eigengrad/ops/ops.h"
#include "tests/message.h"

namespace eigengrad::nn {
namespace {

struct Siamese : Module {
  Linear& left = child<Linear>("left", 3, 2);
  Linear& right = share("right", left);
  Tensor forward(const Tensor& x) override { return left(x) + 2 * right(x); }
};

TEST(Share, OneModuleInTwoPlacesIsOneSetOfParameters) {
  Siamese model;
  EXPECT_EQ(&model.left, &model.right);
  EXPECT_EQ(model.children().size(), 2u);
  std::vector<std::string> names;
  for (const auto& [name, parameter] : model.named_parameters()) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"left.weight", "left.bias"}));
  EXPECT_EQ(model.named_modules().size(), 2u);
  int calls = 0;
  model.apply([&](Module&) { ++calls; });
  EXPECT_EQ(calls, 2);
  sum(model(ones({1, 3}))).backward();
  EXPECT_EQ(model.left.bias.grad().to_vector<float>(), (std::vector<float>{3, 3}));
  Siamese other;
  other.load_state_dict(model.state_dict());
  EXPECT_TRUE(equal(other(ones({1, 3})), model(ones({1, 3}))));
}

TEST(Share, TakesModulesThatOthersOwn) {
  struct Uses : Module {
    explicit Uses(Linear& layer) : theirs(share("theirs", layer)) {}
    Linear& theirs;
  };
  const auto layer = std::make_shared<Linear>(2, 2);
  Uses user(*layer);
  EXPECT_TRUE(user.parameters()[0].is_same(layer->weight));
  Linear on_the_stack(2, 2);
  EXPECT_NE(message_of([&] { Uses bad(on_the_stack); }).find("'theirs' cannot be shared"), std::string::npos);
}

TEST(Share, AParameterThatIsTheResultOfAnOpIsRefused) {
  struct Bad : Module {
    explicit Bad(const Tensor& value) { share_param("p", value); }
  };
  const Tensor w = ones({2}).set_requires_grad();
  EXPECT_NO_THROW(Bad{w});
  EXPECT_NE(message_of([&] { Bad{w * 2}; }).find("the parameter 'p' must not be the result"), std::string::npos);
  EXPECT_NE(message_of([&] { Bad{tensor({1, 2})}; }).find("the parameter 'p' is int64"), std::string::npos);
}

TEST(Share, NoModuleContainsItself) {
  const auto outer = std::make_shared<Sequential>(), inner = std::make_shared<Sequential>();
  outer->push_back(inner);
  EXPECT_THROW(outer->push_back(outer), ValueError);
  EXPECT_THROW(inner->push_back(outer), ValueError);
  EXPECT_EQ(outer->named_modules().size(), 2u);
}

TEST(Sequential, IsFilledByHand) {
  Sequential model;
  model.push_back(Linear(2, 3)).push_back("act", ReLU()).push_back(std::make_shared<Linear>(3, 1));
  std::vector<std::string> names;
  for (const auto& [name, module] : model.children()) names.push_back(name);
  EXPECT_EQ(names, (std::vector<std::string>{"0", "act", "2"}));
  EXPECT_EQ(model(ones({4, 2})).shape(), (Shape{4, 1}));
  EXPECT_EQ(model[1].type_name(), "ReLU");
  EXPECT_NE(message_of([&] { model[3]; }).find("there is no module 3: there are 3"), std::string::npos);
  EXPECT_THROW(model.push_back("act", Tanh()), ValueError);
  EXPECT_THROW(model.push_back("a.b", Tanh()), ValueError);
  EXPECT_THROW(model.push_back(std::shared_ptr<Module>()), ValueError);
  EXPECT_EQ(model.size(), 3u);
}

template <class M>
concept TakesLvalue = requires(Sequential& s, M& m) {
  s.push_back(m);
};
static_assert(!TakesLvalue<Linear>);  // it would have to be copied
static_assert(TakesLvalue<std::shared_ptr<Linear>>);

struct Wrapper : Module {
  Sequential& body = child<Sequential>("body");
  Tensor forward(const Tensor& x) override { return body(x); }
};

// The path of a module is asked for before and after it gets its place.
TEST(Scopes, FollowAModuleToItsPlace) {
  const auto layer = std::make_shared<Linear>(2, 2);
  EXPECT_EQ(scope_path((*layer)(ones({1, 2})).grad_fn()->scope()), "");
  Sequential root;  // has no name, so that the layer runs below the empty path again
  root.push_back("fc", layer);
  EXPECT_EQ(scope_path(root(ones({1, 2})).grad_fn()->scope()), "fc");
  Wrapper model;
  model.body.push_back("fc", layer);
  EXPECT_EQ(scope_path(model(ones({1, 2})).grad_fn()->scope()), "body.fc");
  EXPECT_EQ(scope_path((*layer)(ones({1, 2})).grad_fn()->scope()), "fc");
}

TEST(Scopes, ALossIsNamedByItsTypeOrItsPlace) {
  struct Trained : Module {
    MSELoss& cost = child<MSELoss>("cost");
  };
  const Tensor x = ones({2}).set_requires_grad(), y = zeros({2});
  MSELoss loss;
  for (int i = 0; i < 2; ++i) EXPECT_EQ(scope_path(loss(x, y).grad_fn()->scope()), "MSELoss");
  Trained trained;
  EXPECT_EQ(scope_path(trained.cost(x, y).grad_fn()->scope()), "cost");
}

template <class T>
struct Holder : Module {};

TEST(Module, TheNameOfATemplateHasItsArguments) {
  EXPECT_EQ(Holder<int>().type_name(), "Holder<int>");
  EXPECT_EQ(Holder<nn::Linear>().type_name().substr(0, 7), "Holder<");
}

TEST(Losses, WeightsAreState) {
  const BCEWithLogitsLoss bce({.pos_weight = {2, 3}});
  ASSERT_EQ(bce.state_dict().size(), 1u);
  EXPECT_EQ(bce.state_dict()[0].first, "pos_weight");
  EXPECT_EQ(bce.state_dict()[0].second.to_vector<float>(), (std::vector<float>{2, 3}));
  EXPECT_TRUE(BCEWithLogitsLoss().state_dict().empty());
  EXPECT_EQ(CrossEntropyLoss({.weight = {1, 2}}).state_dict()[0].first, "weight");
}

TEST(Module, LoadingTellsOfEntriesThatAreThereTwiceOrUndefined) {
  Linear model(2, 1);
  StateDict state = model.state_dict();
  state.push_back(state[0]);
  state[1].second = Tensor();
  const std::string text = message_of([&] { model.load_state_dict(state); });
  EXPECT_NE(text.find("there twice: weight"), std::string::npos) << text;
  EXPECT_NE(text.find("bias: found nothing, expected float32 [1]"), std::string::npos) << text;
}

}  // namespace
}  // namespace eigengrad::nn
