#include "eigengrad/eigen.h"

#include <gtest/gtest.h>

#include <memory>

namespace eigengrad {
namespace {

Tensor transposed_view(const Tensor& x) {
  const TensorImpl& impl = x.impl();
  return Tensor(TensorImpl::create(impl.storage, impl.data, {impl.shape[1], impl.shape[0]},
                                   {impl.strides[1], impl.strides[0]}, impl.dtype));
}

TEST(Eigen, ViewsShareMemory) {
  Tensor x = tensor({{1.0, 2.0, 3.0}, {4.0, 5.0, 6.0}});
  const auto view = as_matrix<double>(x);
  EXPECT_EQ(view.data(), x.data<double>().data());
  EXPECT_EQ(view.rows(), 2);
  EXPECT_EQ(view.cols(), 3);
  EXPECT_EQ(view(1, 2), 6);
  as_mutable_matrix<double>(x)(0, 1) = 20;
  EXPECT_EQ(view(0, 1), 20);
  EXPECT_EQ(x.to_vector<double>()[1], 20);
}

TEST(Eigen, StridedTensorsAreViewedInPlace) {
  const Tensor x = tensor({{1.f, 2.f, 3.f}, {4.f, 5.f, 6.f}}), t = transposed_view(x);
  const auto view = as_matrix<float>(t);
  EXPECT_EQ(view.rows(), 3);
  EXPECT_EQ(view(2, 1), 6);
  EXPECT_EQ(view.data(), x.data<float>().data());
  EXPECT_EQ((as_matrix<float>(x) * view).eval()(0, 0), 14);
}

TEST(Eigen, VectorsAndScalarsAreOneRow) {
  EXPECT_EQ(as_matrix<float>(tensor({1.f, 2.f})).cols(), 2);
  EXPECT_EQ(as_matrix<float>(tensor(3.f))(0, 0), 3);
}

TEST(Eigen, WrongTypesAndShapesAreRefused) {
  const Tensor x = zeros({2, 2});
  EXPECT_THROW(as_matrix<double>(x), DtypeError);
  EXPECT_THROW(as_matrix<float>(zeros({2, 2, 2})), ShapeError);
  Tensor parameter = zeros({2, 2}).set_requires_grad();
  EXPECT_THROW(as_mutable_matrix<float>(parameter), GradError);
  const NoGrad no_grad;
  EXPECT_NO_THROW(as_mutable_matrix<float>(parameter));
}

TEST(Eigen, ChangesThroughAViewAreCounted) {
  Tensor x = zeros({2, 2});
  const std::uint32_t before = x.version();
  as_matrix<float>(x);
  EXPECT_EQ(x.version(), before);
  as_mutable_matrix<float>(x).setOnes();
  EXPECT_GT(x.version(), before);
}

TEST(Eigen, TensorsFromExpressionsAreCopies) {
  Eigen::MatrixXd m(2, 3);
  m << 1, 2, 3, 4, 5, 6;
  const Tensor x = from_eigen(m * 2);
  m.setZero();
  EXPECT_EQ(x.shape(), (Shape{2, 3}));
  EXPECT_EQ(x.to_vector<double>(), (std::vector<double>{2, 4, 6, 8, 10, 12}));
  EXPECT_EQ(from_eigen(Eigen::VectorXf::Ones(4)).shape(), Shape{4});
}

TEST(Eigen, MovedMatricesAreNotCopied) {
  Eigen::MatrixXf columns = Eigen::MatrixXf::Random(3, 2);
  const Eigen::MatrixXf copy = columns;
  const float* const data = columns.data();
  const Tensor x = from_eigen(std::move(columns));
  EXPECT_EQ(x.raw<float>(), data);
  EXPECT_EQ(x.shape(), (Shape{3, 2}));
  EXPECT_TRUE((as_matrix<float>(x).array() == copy.array()).all());
}

TEST(Eigen, AViewHoldsItsMatrix) {
  auto matrix = std::make_shared<Eigen::Matrix<double, 2, 2, Eigen::RowMajor>>();
  *matrix << 1, 2, 3, 4;
  const std::weak_ptr<Eigen::Matrix<double, 2, 2, Eigen::RowMajor>> watch = matrix;
  {
    const Tensor x = from_eigen_view(std::move(matrix));
    EXPECT_TRUE(x.is_contiguous());
    EXPECT_FALSE(watch.expired());
    EXPECT_EQ(x.to_vector<double>(), (std::vector<double>{1, 2, 3, 4}));
  }
  EXPECT_TRUE(watch.expired());
}

}  // namespace
}  // namespace eigengrad
