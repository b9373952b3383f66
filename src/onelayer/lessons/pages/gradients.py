import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Gradients and backpropagation")


@app.cell(hide_code=True)
def _():
    import marimo as mo

    from onelayer.lessons import Speaker, language_switch

    language = language_switch()
    language
    return Speaker, language, mo


@app.cell(hide_code=True)
def _(Speaker, language):
    say = Speaker(language.value)
    return (say,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        # Gradients and backpropagation

        How fast does a number change when I turn one of the knobs that it is made of? And how does torch know, although
        nobody told it the formula of the derivative?

        The example of this page is a function of four knobs,

        $$y = a^3 x + b^2 x + c x + d .$$

        Its **gradient** is the vector of its partial derivatives. Each tells how fast $y$ grows when this knob alone is
        turned; together they point in the direction in which $y$ grows fastest:

        $$\nabla y = \left(\frac{\partial y}{\partial a}, \frac{\partial y}{\partial b}, \frac{\partial y}{\partial c},
        \frac{\partial y}{\partial d}\right) = \left(3a^2x,\; 2bx,\; x,\; 1\right).$$

        Choose where to look at it. At $a=1$, $b=3$, $x=1$ the gradient is $(3, 6, 1, 1)$, whatever $c$ and $d$ are.
        """,
        r"""
        # 梯度与反向传播

        一个数由几个“旋钮”决定，转动其中一个，它变化得有多快？没有人把导数公式告诉 torch，它又是怎么知道的？

        本页的例子是一个有四个旋钮的函数，

        $$y = a^3 x + b^2 x + c x + d .$$

        它的**梯度**是各个偏导数组成的向量。每个偏导数说明只转动这一个旋钮时 $y$ 增长得多快；合在一起，它们指向 $y$ 增长最快的方向：

        $$\nabla y = \left(\frac{\partial y}{\partial a}, \frac{\partial y}{\partial b}, \frac{\partial y}{\partial c},
        \frac{\partial y}{\partial d}\right) = \left(3a^2x,\; 2bx,\; x,\; 1\right).$$

        请选择观察的位置。在 $a=1$、$b=3$、$x=1$ 处，无论 $c$ 和 $d$ 是多少，梯度都是 $(3, 6, 1, 1)$。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    a = mo.ui.slider(-2, 2, step=0.1, value=1, label="$a$", show_value=True)
    b = mo.ui.slider(-4, 4, step=0.1, value=3, label="$b$", show_value=True)
    x = mo.ui.slider(-2, 2, step=0.1, value=1, label="$x$", show_value=True)
    mo.hstack([a, b, x], justify="start", gap=2)
    return a, b, x


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## From raw numbers

        A derivative is a limit of slopes. So turn each knob by a little, to both sides, and look.
        """,
        r"""
        ## 从最原始的数开始

        导数是斜率的极限。所以把每个旋钮向两边各转动一点点，看看 $y$ 变了多少。
        """,
    )
    return


@app.cell
def _(a, b, mo, x):
    def y_of(a, b, c, d, x):
        return a**3 * x + b**2 * x + c * x + d

    def slopes(point, x, h=1e-5):
        result = []
        for knob in range(4):
            up, down = list(point), list(point)
            up[knob] += h
            down[knob] -= h
            result.append((y_of(*up, x) - y_of(*down, x)) / (2 * h))
        return result

    point = [a.value, b.value, 2.0, 1.0]
    by_slopes = slopes(point, x.value)
    by_formula = [3 * a.value**2 * x.value, 2 * b.value * x.value, x.value, 1.0]
    mo.show_code(by_slopes, position="above")
    return by_formula, by_slopes, point, y_of


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## In torch

        A tensor with `requires_grad=True` remembers what was computed from it. `backward()` walks back through that
        record, from the result to the knobs, and leaves each knob's derivative in `.grad`.
        """,
        r"""
        ## 用 torch

        带有 `requires_grad=True` 的张量会记住由它算出的一切。`backward()` 沿着这份记录从结果往回走到各个旋钮，并把对每个旋钮的导数放进该旋钮的 `.grad`。
        """,
    )
    return


@app.cell
def _(mo, point, x, y_of):
    import torch

    knobs = [
        torch.tensor(value, dtype=torch.float64, requires_grad=True) for value in point
    ]
    y = y_of(*knobs, x.value)
    y.backward()
    by_torch = [knob.grad.item() for knob in knobs]
    mo.show_code(by_torch, position="above")
    return by_torch, torch


@app.cell(hide_code=True)
def _(by_formula, by_slopes, by_torch, say):
    say.table(
        [
            ("", ""),
            ("∂y/∂a", "∂y/∂a"),
            ("∂y/∂b", "∂y/∂b"),
            ("∂y/∂c", "∂y/∂c"),
            ("∂y/∂d", "∂y/∂d"),
        ],
        [
            [("formula", "公式"), *by_formula],
            [("slopes", "斜率"), *by_slopes],
            [("torch", "torch"), *by_torch],
        ],
    )
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## The picture

        $y$ over the two knobs $a$ and $b$. The arrow is the gradient at your point: it stands at a right angle to the
        contour lines, and it is long where they are close together.
        """,
        r"""
        ## 图像

        这是 $y$ 随 $a$、$b$ 变化的等高线图。箭头是你所选位置的梯度：它与等高线垂直，等高线越密它就越长。
        """,
    )
    return


@app.cell
def _(a, b, by_torch, mo, x, y_of):
    import onelayer as ol

    surface = ol.plots.LossSurfaceDisplay.from_function(
        lambda a, b: y_of(a, b, 2.0, 1.0, x.value),
        limits=((-2.5, 2.5), (-5, 5)),
        names=("a", "b"),
        value_name="y",
    ).plot()
    surface.ax_.set_aspect("equal")
    surface.ax_.annotate(
        "",
        xytext=(a.value, b.value),
        xy=(a.value + 0.1 * by_torch[0], b.value + 0.1 * by_torch[1]),
        arrowprops={"arrowstyle": "-|>", "color": "black", "linewidth": 2},
    )
    mo.show_code(surface.figure_, position="above")
    return (ol,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Backpropagation: the chain rule, backwards

        A network is one function inside another. This one has two inputs, three hidden units and one probability:

        $$h = \tanh(Vx + c), \qquad z = w \cdot h + b, \qquad p = \sigma(z), \qquad
        \ell = -\big[y \log p + (1-y)\log(1-p)\big].$$

        Forward, each line is computed from the one before. Backward, the chain rule takes the derivative of $\ell$ by
        one line and multiplies it by the derivative of that line by the one before it, from the last to the first:

        $$\frac{\partial \ell}{\partial z} = p - y, \qquad
        \frac{\partial \ell}{\partial w} = \frac{\partial \ell}{\partial z}\, h, \qquad
        \frac{\partial \ell}{\partial h} = \frac{\partial \ell}{\partial z}\, w, \qquad
        \frac{\partial \ell}{\partial V} = \Big(\frac{\partial \ell}{\partial h} \odot (1 - h^2)\Big) x^\top .$$
        """,
        r"""
        ## 反向传播：倒着用的链式法则

        网络就是函数套函数。下面的网络有两个输入、三个隐藏单元和一个概率：

        $$h = \tanh(Vx + c), \qquad z = w \cdot h + b, \qquad p = \sigma(z), \qquad
        \ell = -\big[y \log p + (1-y)\log(1-p)\big].$$

        前向时，每一行由上一行算出。反向时，链式法则取 $\ell$ 对某一行的导数，乘以这一行对上一行的导数，从最后一行一直走到第一行：

        $$\frac{\partial \ell}{\partial z} = p - y, \qquad
        \frac{\partial \ell}{\partial w} = \frac{\partial \ell}{\partial z}\, h, \qquad
        \frac{\partial \ell}{\partial h} = \frac{\partial \ell}{\partial z}\, w, \qquad
        \frac{\partial \ell}{\partial V} = \Big(\frac{\partial \ell}{\partial h} \odot (1 - h^2)\Big) x^\top .$$
        """,
    )
    return


@app.cell
def _(mo, torch):
    generator = torch.Generator().manual_seed(0)
    X = torch.randn(5, 2, generator=generator, dtype=torch.float64)
    t = torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0], dtype=torch.float64)
    V = torch.randn(3, 2, generator=generator, dtype=torch.float64)
    c = torch.randn(3, generator=generator, dtype=torch.float64)
    w = torch.randn(3, generator=generator, dtype=torch.float64)
    bias = torch.zeros((), dtype=torch.float64)

    # forward
    h = torch.tanh(X @ V.T + c)
    z = h @ w + bias
    p = 1 / (1 + torch.exp(-z))
    loss = -(t * torch.log(p) + (1 - t) * torch.log(1 - p)).mean()

    # backward, line by line
    dz = (p - t) / len(t)
    dw, dbias = h.T @ dz, dz.sum()
    dh = torch.outer(dz, w)
    before_tanh = dh * (1 - h**2)
    dV, dc = before_tanh.T @ X, before_tanh.sum(dim=0)
    by_hand = {"V": dV, "c": dc, "w": dw, "b": dbias}
    mo.show_code(loss, position="above")
    return V, X, bias, by_hand, c, dbias, dw, h, t, w


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        The same in torch's short form: modules for the lines, a loss that takes scores, `backward()` for the rest. And the
        last layer alone in onelayer's: an `Objective` knows the value and the gradient of its formula.
        """,
        r"""
        下面是 torch 的简短写法：用模块表示各行，用接受得分的损失函数，其余交给 `backward()`。最后一层单独用 onelayer 来写：`Objective` 知道自己公式的值和梯度。
        """,
    )
    return


@app.cell
def _(V, X, bias, c, h, mo, ol, t, torch, w):
    net = torch.nn.Sequential(
        torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)
    ).double()
    with torch.no_grad():
        for parameter, value in zip(
            net.parameters(), (V, c, w.unsqueeze(0), bias.unsqueeze(0)), strict=True
        ):
            parameter.copy_(value)
    torch.nn.BCEWithLogitsLoss()(net(X).squeeze(1), t).backward()
    by_autograd = dict(
        zip(
            "Vcwb",
            (parameter.grad.squeeze() for parameter in net.parameters()),
            strict=True,
        )
    )

    last_layer = ol.LogisticRegression(C=float("inf")).objective(h, t)
    start = last_layer.zeros()
    start.weight.copy_(w)
    start.bias.copy_(bias)
    _, gradient_of_last = last_layer.value_and_gradient(start)
    mo.show_code(gradient_of_last.weight, position="above")
    return by_autograd, gradient_of_last


@app.cell(hide_code=True)
def _(by_autograd, by_hand, dbias, dw, gradient_of_last, say):
    distance = {
        name: (by_hand[name] - by_autograd[name]).abs().max().item() for name in by_hand
    }
    distance_of_last = max(
        (gradient_of_last.weight[0] - dw).abs().max().item(),
        (gradient_of_last.bias[0] - dbias).abs().item(),
    )
    say.table(
        [
            ("largest difference from the hand-written gradient", "与手写梯度的最大差"),
            ("torch", "torch"),
            ("onelayer", "onelayer"),
        ],
        [
            ["∂ℓ/∂V", distance["V"], "–"],
            ["∂ℓ/∂c", distance["c"], "–"],
            ["∂ℓ/∂w, ∂ℓ/∂b", max(distance["w"], distance["b"]), distance_of_last],
        ],
    )
    return distance, distance_of_last


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Exercise

        Squared error on the probability is $\ell = (p - y)^2$ with $p = \sigma(z)$. Write its derivative by $z$, for
        tensors `z` and `y`. What is it where $p$ is nearly 0 although $y = 1$?
        """,
        r"""
        ## 练习

        概率上的平方误差是 $\ell = (p - y)^2$，其中 $p = \sigma(z)$。请写出它对 $z$ 的导数，`z` 和 `y` 是张量。当 $y = 1$ 而 $p$ 几乎为 0 时，它等于多少？
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo, torch):
    from onelayer.lessons import CodeExercise

    def _p(z):
        return torch.sigmoid(z)

    exercise = CodeExercise(
        "derivative",
        lambda z, y: 2 * (_p(z) - y) * _p(z) * (1 - _p(z)),
        [(torch.tensor([-2.0, 0.5, 3.0]), torch.tensor([1.0, 0.0, 1.0]))],
        [
            (
                lambda z, y: 2 * (_p(z) - y),
                "That is the derivative by p. The chain rule goes on to z: multiply by dp/dz = p(1 − p).",
                "这是对 p 的导数。链式法则还要走到 z：再乘以 dp/dz = p(1 − p)。",
            ),
            (
                lambda z, y: _p(z) - y,
                "That is the gradient of cross-entropy. Here the loss is the square (p − y)².",
                "这是交叉熵的梯度。这里的损失是平方 (p − y)²。",
            ),
            (
                lambda z, y: (_p(z) - y) * _p(z) * (1 - _p(z)),
                "Nearly: the square brings a factor of 2 down.",
                "差一点：平方求导会多出因子 2。",
            ),
            (
                lambda z, y: 2 * (z - y) * _p(z) * (1 - _p(z)),
                "The loss compares y with p = σ(z), not with z.",
                "损失比较的是 y 和 p = σ(z)，不是 z。",
            ),
            (
                lambda z, y: 2 * (_p(z) - y) * (1 - _p(z) ** 2),
                "1 − p² is the derivative of tanh. That of σ is p(1 − p).",
                "1 − p² 是 tanh 的导数，σ 的导数是 p(1 − p)。",
            ),
        ],
        start="def derivative(z, y):\n    p = torch.sigmoid(z)\n    return ...\n",
    )
    answer = mo.ui.code_editor(exercise.start, language="python", min_height=100)
    answer
    return answer, exercise


@app.cell(hide_code=True)
def _(answer, exercise, say):
    verdict = exercise.check(answer.value)
    say.verdict(verdict)
    return (verdict,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        Where $p$ is nearly 0 and $y = 1$ the factor $p(1-p)$ is nearly 0 as well: the model is as wrong as can be, and the
        gradient says “stay”. The lesson *Why cross-entropy* shows what comes of it.
        """,
        r"""
        当 $y = 1$ 而 $p$ 几乎为 0 时，因子 $p(1-p)$ 也几乎为 0：模型错得不能再错，梯度却说“别动”。《为什么用交叉熵》一课会展示后果。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
