#include <gtest/gtest.h>

#include <limits>
#include <sstream>

#include "eigengrad/core/tensor.h"
#include "eigengrad/ops/arithmetic.h"
#include "eigengrad/ops/shape.h"

namespace eigengrad {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInf = std::numeric_limits<float>::infinity();

// 0, 1, 2, … in a shape.
Tensor grid(const Shape& shape, Dtype dtype) { return reshape(arange(checked_numel(shape), dtype), shape); }

struct Case {
  Tensor x;
  const char* expected;
};

// What PyTorch 2.15 prints for the same tensors, with "dtype=torch." shortened to "dtype=".
TEST(Print, LooksLikePyTorch) {
  const Case cases[] = {
      {tensor(1.5f), R"(tensor(1.5000))"},
      {tensor(3), R"(tensor(3))"},
      {tensor(true), R"(tensor(True))"},
      {empty({0}), R"(tensor([]))"},
      {empty({0, 3}), R"(tensor([], size=(0, 3)))"},
      {empty({2, 0, 3}, kFloat64), R"(tensor([], size=(2, 0, 3), dtype=float64))"},
      {tensor({1.f, 2.f, 3.f}), R"(tensor([1., 2., 3.]))"},
      {tensor({{1., 2.}, {3., 4.}}), R"(tensor([[1., 2.],
        [3., 4.]], dtype=float64))"},
      {tensor({1.5f, 2.25f, -3.125f}), R"(tensor([ 1.5000,  2.2500, -3.1250]))"},
      {tensor({1e-5f, 1.f}), R"(tensor([1.0000e-05, 1.0000e+00]))"},
      {tensor({1e5f, 123456.f}), R"(tensor([100000., 123456.]))"},
      {tensor({99999999.f, 1.f}), R"(tensor([1.0000e+08, 1.0000e+00]))"},
      {tensor({1e9f, 2e9f}), R"(tensor([1.0000e+09, 2.0000e+09]))"},
      {tensor({0.001f, 1.f}), R"(tensor([0.0010, 1.0000]))"},
      {tensor({0.0001f, 1.f}), R"(tensor([1.0000e-04, 1.0000e+00]))"},
      {tensor({kNaN, 1.f, kInf}), R"(tensor([nan, 1., inf]))"},
      {tensor({kNaN, -kInf}), R"(tensor([nan, -inf]))"},
      {tensor({kNaN, 1.5f, kInf, -kInf}), R"(tensor([   nan, 1.5000,    inf,   -inf]))"},
      {tensor({1, -20, 300}), R"(tensor([  1, -20, 300]))"},
      {tensor({{true, false}, {false, true}}), R"(tensor([[ True, False],
        [False,  True]]))"},
      {arange(1001), R"(tensor([   0,    1,    2,  ...,  998,  999, 1000]))"},
      {grid({30, 40}, kFloat32), R"(tensor([[0.0000e+00, 1.0000e+00, 2.0000e+00,  ..., 3.7000e+01, 3.8000e+01,
         3.9000e+01],
        [4.0000e+01, 4.1000e+01, 4.2000e+01,  ..., 7.7000e+01, 7.8000e+01,
         7.9000e+01],
        [8.0000e+01, 8.1000e+01, 8.2000e+01,  ..., 1.1700e+02, 1.1800e+02,
         1.1900e+02],
        ...,
        [1.0800e+03, 1.0810e+03, 1.0820e+03,  ..., 1.1170e+03, 1.1180e+03,
         1.1190e+03],
        [1.1200e+03, 1.1210e+03, 1.1220e+03,  ..., 1.1570e+03, 1.1580e+03,
         1.1590e+03],
        [1.1600e+03, 1.1610e+03, 1.1620e+03,  ..., 1.1970e+03, 1.1980e+03,
         1.1990e+03]]))"},
      {grid({10, 10, 20}, kInt64), R"(tensor([[[   0,    1,    2,  ...,   17,   18,   19],
         [  20,   21,   22,  ...,   37,   38,   39],
         [  40,   41,   42,  ...,   57,   58,   59],
         ...,
         [ 140,  141,  142,  ...,  157,  158,  159],
         [ 160,  161,  162,  ...,  177,  178,  179],
         [ 180,  181,  182,  ...,  197,  198,  199]],

        [[ 200,  201,  202,  ...,  217,  218,  219],
         [ 220,  221,  222,  ...,  237,  238,  239],
         [ 240,  241,  242,  ...,  257,  258,  259],
         ...,
         [ 340,  341,  342,  ...,  357,  358,  359],
         [ 360,  361,  362,  ...,  377,  378,  379],
         [ 380,  381,  382,  ...,  397,  398,  399]],

        [[ 400,  401,  402,  ...,  417,  418,  419],
         [ 420,  421,  422,  ...,  437,  438,  439],
         [ 440,  441,  442,  ...,  457,  458,  459],
         ...,
         [ 540,  541,  542,  ...,  557,  558,  559],
         [ 560,  561,  562,  ...,  577,  578,  579],
         [ 580,  581,  582,  ...,  597,  598,  599]],

        ...,

        [[1400, 1401, 1402,  ..., 1417, 1418, 1419],
         [1420, 1421, 1422,  ..., 1437, 1438, 1439],
         [1440, 1441, 1442,  ..., 1457, 1458, 1459],
         ...,
         [1540, 1541, 1542,  ..., 1557, 1558, 1559],
         [1560, 1561, 1562,  ..., 1577, 1578, 1579],
         [1580, 1581, 1582,  ..., 1597, 1598, 1599]],

        [[1600, 1601, 1602,  ..., 1617, 1618, 1619],
         [1620, 1621, 1622,  ..., 1637, 1638, 1639],
         [1640, 1641, 1642,  ..., 1657, 1658, 1659],
         ...,
         [1740, 1741, 1742,  ..., 1757, 1758, 1759],
         [1760, 1761, 1762,  ..., 1777, 1778, 1779],
         [1780, 1781, 1782,  ..., 1797, 1798, 1799]],

        [[1800, 1801, 1802,  ..., 1817, 1818, 1819],
         [1820, 1821, 1822,  ..., 1837, 1838, 1839],
         [1840, 1841, 1842,  ..., 1857, 1858, 1859],
         ...,
         [1940, 1941, 1942,  ..., 1957, 1958, 1959],
         [1960, 1961, 1962,  ..., 1977, 1978, 1979],
         [1980, 1981, 1982,  ..., 1997, 1998, 1999]]]))"},
      {zeros({2, 2, 2}), R"(tensor([[[0., 0.],
         [0., 0.]],

        [[0., 0.],
         [0., 0.]]]))"},
      {arange(40, kFloat32), R"(tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12., 13.,
        14., 15., 16., 17., 18., 19., 20., 21., 22., 23., 24., 25., 26., 27.,
        28., 29., 30., 31., 32., 33., 34., 35., 36., 37., 38., 39.]))"},
      {tensor({1.f, 2.f}).set_requires_grad(), R"(tensor([1., 2.], requires_grad=True))"},
      {tensor({{1., 2.}}).set_requires_grad(), R"(tensor([[1., 2.]], dtype=float64, requires_grad=True))"},
      {tensor(kNaN), R"(tensor(nan))"},
      {tensor(1e-20f), R"(tensor(1.0000e-20))"},
      {tensor(12345678.9f), R"(tensor(12345679.))"},
      {tensor(0.f), R"(tensor(0.))"},
      {tensor({0.f, 0.f}), R"(tensor([0., 0.]))"},
      {tensor({-0.f, 1.f}), R"(tensor([-0., 1.]))"},
      {tensor({1e-10f, 1e10f}), R"(tensor([1.0000e-10, 1.0000e+10]))"},
      {empty({0}, kInt64), R"(tensor([], dtype=int64))"},
      {empty({0}, kBool), R"(tensor([], dtype=bool))"},
      {tensor({kInf, 2.f}), R"(tensor([inf, 2.]))"},
      {arange(0, 30000000, 1000000, kInt64),
       R"(tensor([       0,  1000000,  2000000,  3000000,  4000000,  5000000,  6000000,
         7000000,  8000000,  9000000, 10000000, 11000000, 12000000, 13000000,
        14000000, 15000000, 16000000, 17000000, 18000000, 19000000, 20000000,
        21000000, 22000000, 23000000, 24000000, 25000000, 26000000, 27000000,
        28000000, 29000000]))"},
      {tensor({1e3f, 0.5f}), R"(tensor([1.0000e+03, 5.0000e-01]))"},
      {tensor({1000.f, 1001.f}), R"(tensor([1000., 1001.]))"},
      {tensor({1001.f, 0.5f}), R"(tensor([1.0010e+03, 5.0000e-01]))"},
      {tensor({99999.f, 0.01f}), R"(tensor([9.9999e+04, 1.0000e-02]))"},
      {tensor({{1e-3f, 1e3f}}), R"(tensor([[1.0000e-03, 1.0000e+03]]))"},
      {tensor({0.1, 0.25, 1 / 3.}), R"(tensor([0.1000, 0.2500, 0.3333], dtype=float64))"},
      {zeros({1, 1, 1}), R"(tensor([[[0.]]]))"},
      {grid({7, 1}, kInt64), R"(tensor([[0],
        [1],
        [2],
        [3],
        [4],
        [5],
        [6]]))"},
      {empty({2, 0}), R"(tensor([], size=(2, 0)))"},
      {full({3, 500}, 2.5f), R"(tensor([[2.5000, 2.5000, 2.5000,  ..., 2.5000, 2.5000, 2.5000],
        [2.5000, 2.5000, 2.5000,  ..., 2.5000, 2.5000, 2.5000],
        [2.5000, 2.5000, 2.5000,  ..., 2.5000, 2.5000, 2.5000]]))"},
      {arange(1001, kFloat32).set_requires_grad(),
       R"(tensor([   0.,    1.,    2.,  ...,  998.,  999., 1000.], requires_grad=True))"},
      {tensor(1e8f), R"(tensor(100000000.))"},
      {tensor(-3.f), R"(tensor(-3.))"},
      {tensor(static_cast<double>(kInf)), R"(tensor(inf, dtype=float64))"},
  };
  for (const Case& c : cases) EXPECT_EQ(to_string(c.x), c.expected);
}

TEST(Print, NamesTheOpThatMadeIt) {
  const Tensor x = tensor({1.f, 2.f}).set_requires_grad();
  EXPECT_EQ(to_string(x * 2), "tensor([2., 4.], grad_fn=<mul>)");
  EXPECT_EQ(to_string((x * 2).detach()), "tensor([2., 4.])");
}

// What does not fit into 80 columns goes to the next line, as in PyTorch.
TEST(Print, BreaksBeforeASuffix) {
  EXPECT_EQ(to_string(arange(13, kFloat32).set_requires_grad()),
            R"(tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12.],
       requires_grad=True))");
  EXPECT_EQ(to_string(arange(13, kFloat64).set_requires_grad()),
            R"(tensor([ 0.,  1.,  2.,  3.,  4.,  5.,  6.,  7.,  8.,  9., 10., 11., 12.],
       dtype=float64, requires_grad=True))");
}

TEST(Print, FollowsStrides) {
  EXPECT_EQ(to_string(transpose(tensor({{1, 2, 3}, {4, 5, 6}}), 0, 1)),
            "tensor([[1, 4],\n        [2, 5],\n        [3, 6]])");
}

TEST(Print, AnUndefinedTensorDoesNotThrow) {
  std::ostringstream out;
  out << Tensor();
  EXPECT_EQ(out.str(), "tensor(undefined)");
}

TEST(Print, ExtremeNumbers) {
  EXPECT_EQ(to_string(tensor(std::numeric_limits<std::int64_t>::min())), "tensor(-9223372036854775808)");
  EXPECT_EQ(to_string(tensor({1e308, -1e-308})), "tensor([ 1.0000e+308, -1.0000e-308], dtype=float64)");
  EXPECT_EQ(to_string(tensor(-kNaN)), "tensor(nan)");
}

}  // namespace
}  // namespace eigengrad
