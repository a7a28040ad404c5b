// The smallest graph: g = (x + y)·z at x = 1, y = 3, z = -3, forward and backward, and its picture.
//
//   forward   p = x + y = 4, g = p·z = -12
//   backward  ∂g/∂x = ∂g/∂y = z = -3, ∂g/∂z = p = 4
#include <eigengrad/eigengrad.h>

#include <iostream>

using namespace eigengrad;

int main(int argc, char** argv) {
  const std::string dot_file = argc > 1 ? argv[1] : "seed.dot";
  const std::string svg_file = dot_file.substr(0, dot_file.rfind('.')) + ".svg";

  io::GraphTrace trace;
  Tensor x = tensor(1.f).set_requires_grad();
  Tensor y = tensor(3.f).set_requires_grad();
  Tensor z = tensor(-3.f).set_requires_grad();

  Tensor p = x + y;
  Tensor g = p * z;
  g.backward();

  std::cout << "p = " << p.item() << ", g = " << g.item() << "\n"
            << "dg/dx = " << x.grad().item() << ", dg/dy = " << y.grad().item() << ", dg/dz = " << z.grad().item()
            << "\n";

  trace.set_name(x, "x");
  trace.set_name(y, "y");
  trace.set_name(z, "z");
  trace.set_name(p, "p");
  trace.set_name(g, "g");
  io::write_file(dot_file, trace.to_dot());
  std::cout << "The graph is in " << dot_file;
  std::cout << (io::render_svg(dot_file, svg_file) ? " and " + svg_file : " (install graphviz to have it drawn)")
            << "\n";
}
