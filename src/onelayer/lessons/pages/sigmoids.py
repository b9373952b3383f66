import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="The sigmoids")


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
        # The sigmoids

        A linear model gives any real number, a probability lies between 0 and 1. Which functions lead from one to the other,
        and why does everybody take the same?

        A **sigmoid** is a function $\mathbb{R} \to (\text{low}, \text{high})$ that **has limits** on both sides, is **monotone**
        (more score, more probability), and **saturates**: far out it hardly changes any more. The logistic function has
        limits 0 and 1, so its values can be read as probabilities:

        $$\sigma(x) = \frac{1}{1 + e^{-x}}.$$

        Others have limits −1 and 1, for when the output should be centred at 0. All of these have slope 1 at 0:

        $$\operatorname{erf}\!\Big(\tfrac{\sqrt\pi}{2} x\Big), \quad \frac{x}{\sqrt{1+x^2}}, \quad \tanh x, \quad
        \tfrac2\pi \arctan\!\Big(\tfrac\pi2 x\Big), \quad \tfrac2\pi \operatorname{gd}\!\Big(\tfrac\pi2 x\Big), \quad \frac{x}{1+|x|},$$

        where $\operatorname{gd}(x) = 2 \arctan(\tanh \tfrac x2)$ is the Gudermannian function. Choose one, and where to look.
        """,
        r"""
        # S 形函数

        线性模型给出任意实数，而概率在 0 和 1 之间。哪些函数能把前者变成后者？为什么大家都用同一个？

        **S 形函数**（sigmoid）是 $\mathbb{R} \to (\text{low}, \text{high})$ 的函数，它在两端**有极限**，**单调**递增（得分越高，概率越大），并且**饱和**：在远处几乎不再变化。Logistic 函数的极限是 0 和 1，所以它的值可以看作概率：

        $$\sigma(x) = \frac{1}{1 + e^{-x}}.$$

        其他的极限是 −1 和 1，用在希望输出以 0 为中心的场合。下面这些在 0 处的斜率都是 1：

        $$\operatorname{erf}\!\Big(\tfrac{\sqrt\pi}{2} x\Big), \quad \frac{x}{\sqrt{1+x^2}}, \quad \tanh x, \quad
        \tfrac2\pi \arctan\!\Big(\tfrac\pi2 x\Big), \quad \tfrac2\pi \operatorname{gd}\!\Big(\tfrac\pi2 x\Big), \quad \frac{x}{1+|x|},$$

        其中 $\operatorname{gd}(x) = 2 \arctan(\tanh \tfrac x2)$ 是古德曼函数。请选择一个函数和观察的位置。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    which = mo.ui.dropdown(
        ["logistic", "erf", "algebraic", "tanh", "arctan", "Gudermann", "softsign"],
        value="logistic",
        label="sigmoid · 函数",
    )
    where = mo.ui.slider(-5, 5, step=0.1, value=2, label="$x$", show_value=True)
    mo.hstack([which, where], justify="start", gap=2)
    return where, which


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## From raw tensors

        The formulas as they stand.
        """,
        r"""
        ## 从原始张量开始

        照公式直接写出来。
        """,
    )
    return


@app.cell
def _(mo, where):
    import math

    import torch

    family = {
        "logistic": lambda x: 1 / (1 + torch.exp(-x)),
        "erf": lambda x: torch.erf(math.sqrt(math.pi) / 2 * x),
        "algebraic": lambda x: x / torch.sqrt(1 + x**2),
        "tanh": lambda x: 1 - 2 / (torch.exp(2 * x) + 1),
        "arctan": lambda x: 2 / math.pi * torch.atan(math.pi / 2 * x),
        "Gudermann": lambda x: 4 / math.pi * torch.atan(torch.tanh(math.pi / 4 * x)),
        "softsign": lambda x: x / (1 + x.abs()),
    }
    x = torch.tensor(where.value, dtype=torch.float64)
    by_hand = {name: function(x).item() for name, function in family.items()}
    mo.show_code(by_hand, position="above")
    return by_hand, family, torch, x


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## In torch, and with onelayer

        torch has the logistic function in two forms: a module, to be put between other modules, and a function, to be called.
        It has some of the others too. In onelayer they are **links**: `mean` leads from the score to the mean.
        """,
        r"""
        ## 用 torch，用 onelayer

        torch 里的 logistic 函数有两种形式：一种是模块，可以放在其他模块之间；一种是函数，可以直接调用。其他函数它也有几个。在 onelayer 里它们叫做 **link**（联系函数）：`mean` 把得分变成均值。
        """,
    )
    return


@app.cell
def _(mo, torch, x):
    import onelayer as ol

    by_torch = {
        "logistic": torch.sigmoid(x).item(),
        "logistic, the module": torch.nn.Sigmoid()(x).item(),
        "erf": torch.erf(torch.pi**0.5 / 2 * x).item(),
        "tanh": torch.nn.Tanh()(x).item(),
        "softsign": torch.nn.Softsign()(x).item(),
    }
    links = {
        "logistic": ol.links.LogisticSigmoid(),
        "erf": ol.links.Erf(),
        "algebraic": ol.links.AlgebraicSigmoid(),
        "tanh": ol.links.Tanh(),
        "arctan": ol.links.Arctan(),
        "Gudermann": ol.links.Gudermannian(),
        "softsign": ol.links.Softsign(),
    }
    by_onelayer = {name: link.mean(x).item() for name, link in links.items()}
    mo.show_code(by_torch, position="above")
    return by_onelayer, by_torch, links, ol


@app.cell(hide_code=True)
def _(by_hand, by_onelayer, by_torch, say, where):
    say.table(
        [
            (f"x = {where.value:.1f}", f"x = {where.value:.1f}"),
            ("by hand", "手写"),
            ("torch", "torch"),
            ("onelayer", "onelayer"),
        ],
        [
            [_name, _value, by_torch.get(_name, "–"), by_onelayer[_name]]
            for _name, _value in by_hand.items()
        ],
    )
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## The picture

        The whole family; the dot is your choice. Near 0 they are alike, and they differ in how fast they come to their limits:
        erf is quickest, softsign slowest.
        """,
        r"""
        ## 图像

        整个家族；圆点是你的选择。它们在 0 附近很相似，区别在于接近极限的快慢：erf 最快，softsign 最慢。
        """,
    )
    return


@app.cell
def _(by_onelayer, links, mo, ol, where, which):
    picture = ol.plots.SigmoidDisplay.from_links(list(links.values())).plot()
    picture.ax_.plot(
        where.value, by_onelayer[which.value], "o", color="black", markersize=9, zorder=5
    )
    mo.show_code(picture.figure_, position="above")
    return (picture,)


@app.cell(hide_code=True)
def _(by_onelayer, links, say, torch, where, which, x):
    _derivative = links[which.value].derivative
    slope = _derivative(x).item()
    _share = slope / _derivative(torch.zeros_like(x)).item()
    say(
        f"At x = {where.value:.1f} the {which.value} sigmoid has the value {by_onelayer[which.value]:.4f} and the slope {slope:.3g}, "
        f"which is {_share:.1%} of its slope at 0.",
        f"在 x = {where.value:.1f} 处，{which.value} 的值是 {by_onelayer[which.value]:.4f}，斜率是 {slope:.3g}，是 0 处斜率的 {_share:.1%}。",
    )
    return (slope,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Three properties, as numbers

        **Limits:** the value a million to the left and to the right. **Monotone:** the smallest step upwards between neighbours
        on a grid from −4 to 4 is positive. **Saturating:** the slope at 0 and the slope at 10.
        """,
        r"""
        ## 用数字检验三个性质

        **有极限**：看左右一百万处的值。**单调**：在 −4 到 4 的网格上，相邻两点之间最小的增量是正的。**饱和**：比较 0 处和 10 处的斜率。
        """,
    )
    return


@app.cell
def _(family, links, mo, torch, which):
    far_away = torch.tensor([-1e6, 1e6], dtype=torch.float64)
    grid = torch.linspace(-4, 4, 81, dtype=torch.float64)
    zero_and_ten = torch.tensor([0.0, 10.0], dtype=torch.float64)

    properties = {}
    for name, function in family.items():
        smallest_step = function(grid).diff().min()
        slopes = links[name].derivative(zero_and_ten)
        row = [*function(far_away), smallest_step, *slopes]
        properties[name] = [number.item() for number in row]
    mo.show_code(properties[which.value], position="above")
    return (properties,)


@app.cell(hide_code=True)
def _(properties, say):
    say.table(
        [
            ("sigmoid", "函数"),
            ("at −1,000,000", "−1000000 处"),
            ("at 1,000,000", "1000000 处"),
            ("smallest step", "最小增量"),
            ("slope at 0", "0 处的斜率"),
            ("slope at 10", "10 处的斜率"),
        ],
        [[_name, *_row] for _name, _row in properties.items()],
    )
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Saturation: where the gradient goes

        The logistic function has a derivative that is made of its own value,

        $$\sigma'(x) = \sigma(x)\,\big(1 - \sigma(x)\big),$$

        at most $\tfrac14$, at 0. Far out almost nothing is left of it: a model whose scores are large and wrong hardly gets a
        signal through its sigmoid. Look at the last row as well: in floating-point numbers $\sigma(40)$ is rounded to 1, and
        $1 - \sigma$ to nothing. onelayer computes $\sigma(x)\,\sigma(-x)$, the same number without the subtraction.
        """,
        r"""
        ## 饱和：梯度去哪儿了

        Logistic 函数的导数可以用它自己的值表示：

        $$\sigma'(x) = \sigma(x)\,\big(1 - \sigma(x)\big),$$

        它在 0 处最大，为 $\tfrac14$。在远处它几乎消失：如果模型的得分很大却是错的，几乎没有信号能穿过 S 形函数传回来。再看最后一行：用浮点数计算时 $\sigma(40)$ 被舍入为 1，$1 - \sigma$ 就成了 0。onelayer 计算的是 $\sigma(x)\,\sigma(-x)$，数值相同，但没有减法。
        """,
    )
    return


@app.cell
def _(links, mo, torch):
    places = torch.tensor([0.0, 2, 5, 10, 40], dtype=torch.float64, requires_grad=True)

    s = torch.sigmoid(places)
    s.sum().backward()
    derivatives = {
        "formula": (s * (1 - s)).tolist(),
        "torch": places.grad.tolist(),
        "onelayer": links["logistic"].derivative(places.detach()).tolist(),
    }
    mo.show_code(s.tolist(), position="above")
    return derivatives, places


@app.cell(hide_code=True)
def _(derivatives, places, say):
    say.table(
        [
            ("x", "x"),
            ("σ(1 − σ)", "σ(1 − σ)"),
            ("autograd", "自动求导"),
            ("onelayer", "onelayer"),
        ],
        [
            [f"{_x:g}", *_row]
            for _x, *_row in zip(places.tolist(), *derivatives.values(), strict=True)
        ],
    )
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## One formula, two ways to write it

        $\frac{1}{1+e^{-x}}$ and $\frac{e^x}{1+e^x}$ are equal on paper. In the computer $e^{1000}$ is infinite: the second becomes
        $\infty/\infty$, which is not a number, and the first, at $-1000$, still has the right value 0 but no gradient and no
        logarithm. The stable form takes each where its exponential is small. Choose a score:
        """,
        r"""
        ## 同一个公式，两种写法

        $\frac{1}{1+e^{-x}}$ 和 $\frac{e^x}{1+e^x}$ 在纸上相等。可是在计算机里 $e^{1000}$ 是无穷大：第二种写法变成 $\infty/\infty$，不再是数；第一种写法在 $-1000$ 处的值 0 还是对的，却没有了梯度，也没有了对数。稳定的写法是：哪一种写法里的指数函数值小，就用哪一种。请选择一个得分：
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    extreme = mo.ui.slider(
        steps=[-1000, -100, -10, 10, 100, 1000],
        value=-1000,
        label="score · 得分",
        show_value=True,
    )
    extreme
    return (extreme,)


@app.cell
def _(extreme, mo, ol, torch):
    def stable(x):
        decay = torch.exp(-x.abs())
        return torch.where(x >= 0, 1, decay) / (1 + decay)

    score = torch.tensor(float(extreme.value), dtype=torch.float64, requires_grad=True)
    naive = 1 / (1 + torch.exp(-score))
    naive.backward()
    one = torch.ones((), dtype=torch.float64)
    numerics = {
        "1 / (1 + exp(-x))": naive.item(),
        "exp(x) / (1 + exp(x))": (torch.exp(score) / (1 + torch.exp(score))).item(),
        "stable form": stable(score).item(),
        "torch.sigmoid": torch.sigmoid(score).item(),
        "gradient of the first": score.grad.item(),
        "log of the first": torch.log(naive).item(),
        "log by torch, LogSigmoid": torch.nn.LogSigmoid()(score).item(),
        "log by onelayer": -ol.losses.Logistic().value(score.detach(), one).item(),
    }
    mo.show_code(numerics, position="above")
    return (numerics,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        So a loss should be given the **score**, and do the sigmoid itself: `BCEWithLogitsLoss` in torch, `ol.losses.Logistic` here.

        And why does everybody take the logistic function? Because then the score has a meaning, $x = \log\frac{p}{1-p}$, the
        logarithm of the odds, and because minus its logarithm is a convex loss whose gradient is simply $p - y$.

        ## Exercise

        tanh is the logistic function in disguise: shifted and stretched. Write `tanh(x)` for a tensor `x`, with
        `torch.sigmoid` and arithmetic only.
        """,
        r"""
        所以应当把**得分**交给损失函数，让它自己去做 sigmoid：在 torch 里是 `BCEWithLogitsLoss`，在这里是 `ol.losses.Logistic`。

        那么，为什么大家都用 logistic 函数呢？因为这样得分就有了含义，$x = \log\frac{p}{1-p}$，即几率的对数；还因为它的负对数是凸的损失函数，梯度就是 $p - y$。

        ## 练习

        tanh 其实是平移和拉伸过的 logistic 函数。请写出 `tanh(x)`，`x` 是张量，只用 `torch.sigmoid` 和四则运算。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo, torch):
    from onelayer.lessons import CodeExercise

    exercise = CodeExercise(
        "tanh",
        torch.tanh,
        [
            (torch.tensor([-2.0, 0.0, 0.5, 3.0], dtype=torch.float64),),
            (torch.tensor(-0.25, dtype=torch.float64),),
        ],
        [
            (
                torch.sigmoid,
                "That is the logistic function itself: its limits are 0 and 1, those of tanh are −1 and 1.",
                "这就是 logistic 函数本身：它的极限是 0 和 1，而 tanh 的极限是 −1 和 1。",
            ),
            (
                lambda x: 2 * torch.sigmoid(x) - 1,
                "The limits are right, the slope at 0 is ½ and should be 1: this is tanh(x/2).",
                "极限对了，但 0 处的斜率是 ½，应为 1：这是 tanh(x/2)。",
            ),
            (
                lambda x: 2 * torch.sigmoid(x / 2) - 1,
                "The stretch is the other way round: the slope at 0 is ¼ and should be 1.",
                "拉伸的方向反了：0 处的斜率是 ¼，应为 1。",
            ),
            (
                lambda x: 2 * torch.sigmoid(2 * x),
                "The limits are 0 and 2: shift it down by 1.",
                "现在的极限是 0 和 2：再向下平移 1。",
            ),
            (
                lambda x: torch.sigmoid(2 * x) - 1,
                "The limits are −1 and 0: stretch to twice the height before shifting.",
                "现在的极限是 −1 和 0：平移之前要先把高度拉伸到两倍。",
            ),
            (
                lambda x: torch.sigmoid(2 * x),
                "The limits are 0 and 1: stretch to twice the height and shift down by 1.",
                "现在的极限是 0 和 1：把高度拉伸到两倍，再向下平移 1。",
            ),
        ],
        start="def tanh(x):\n    return ...\n",
    )
    answer = mo.ui.code_editor(exercise.start, language="python", min_height=80)
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
        A score, a sigmoid and the loss of the lesson before: that is all a logistic regression is made of. The next lesson,
        *Logistic regression*, puts them together.
        """,
        r"""
        得分、S 形函数，再加上上一课的损失函数：逻辑斯蒂回归就由这些组成。下一课《逻辑斯蒂回归》把它们放到一起。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
