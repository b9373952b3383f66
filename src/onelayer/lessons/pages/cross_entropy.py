import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Why cross-entropy")


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
        # Why cross-entropy

        A classifier gives a probability $p$, the truth is $y = 0$ or $y = 1$. Why is the loss not simply the squared
        error $(p - y)^2$, as for a line through points?

        The model has two parameters: $z = wx + b$, $p = \sigma(z) = 1 / (1 + e^{-z})$. The two losses and their
        derivatives by $z$ are

        $$\ell_{\text{CE}} = -\big[y \log p + (1-y)\log(1-p)\big], \qquad
        \frac{\partial \ell_{\text{CE}}}{\partial z} = p - y,$$

        $$\ell_{\text{SE}} = (p - y)^2, \qquad
        \frac{\partial \ell_{\text{SE}}}{\partial z} = 2\,(p - y)\,p\,(1 - p).$$

        The chain rule brings the factor $p(1-p)$ into the second one. It is nearly 0 where $p$ is nearly 0 or 1, no
        matter whether the answer is right. The table is for $y = 1$; its upper rows are the worst answers.
        """,
        r"""
        # 为什么用交叉熵

        分类器给出概率 $p$，真实标签是 $y = 0$ 或 $y = 1$。为什么不像拟合直线那样，直接用平方误差 $(p - y)^2$ 作损失函数？

        模型有两个参数：$z = wx + b$，$p = \sigma(z) = 1 / (1 + e^{-z})$。两种损失函数及其对 $z$ 的导数是

        $$\ell_{\text{CE}} = -\big[y \log p + (1-y)\log(1-p)\big], \qquad
        \frac{\partial \ell_{\text{CE}}}{\partial z} = p - y,$$

        $$\ell_{\text{SE}} = (p - y)^2, \qquad
        \frac{\partial \ell_{\text{SE}}}{\partial z} = 2\,(p - y)\,p\,(1 - p).$$

        第二个导数里的因子 $p(1-p)$ 来自链式法则。只要 $p$ 接近 0 或 1，不管答案对不对，它都几乎为 0。下表取 $y = 1$，越靠上的行错得越厉害。
        """,
    )
    return


@app.cell(hide_code=True)
def _(say):
    import torch

    table_z = torch.tensor([-10, -5, -2, 0, 2, 5], dtype=torch.float64)
    _p = torch.sigmoid(table_z)
    sizes = torch.stack([(_p - 1).abs(), 2 * (_p - 1).abs() * _p * (1 - _p)])
    say.table(
        [
            ("z", "z"),
            ("p", "p"),
            ("size of the gradient, cross-entropy", "梯度大小，交叉熵"),
            ("size of the gradient, squared error", "梯度大小，平方误差"),
        ],
        [
            [f"{z:g}".replace("-", "−"), p, ce, se]
            for z, p, ce, se in zip(
                table_z.tolist(), _p.tolist(), *sizes.tolist(), strict=True
            )
        ],
    )
    return sizes, table_z, torch


@app.cell
def _(mo, torch):
    import onelayer as ol

    curves = ol.plots.LossCurvesDisplay.from_losses(
        [ol.losses.Logistic(), ol.losses.ProbabilitySquaredError()],
        scores=torch.linspace(-6, 6, 241),
    )
    curves.names = ["cross-entropy, y = 1", "squared error, y = 1"]
    mo.show_code(curves.plot().figure_, position="above")
    return curves, ol


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Choose a start

        Ten points on a line. Left of 0 most have $y = 0$, right of 0 most have $y = 1$, and one on each side is an
        exception. So a good model has $w > 0$ and $b$ near 0. The start $w = -6$, $b = 8$ is a bad one: it says the
        opposite, and is very sure of it. Both losses get the same start, the same learning rate and the same number of
        steps.
        """,
        r"""
        ## 选择起点

        直线上有十个点。0 左边大多是 $y = 0$，右边大多是 $y = 1$，两边各有一个例外。所以好的模型应有 $w > 0$，$b$ 接近 0。起点 $w = -6$、$b = 8$ 很糟：它的判断正好相反，而且非常自信。两种损失函数用相同的起点、相同的学习率、相同的步数。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    start_w = mo.ui.slider(
        -7, 7, step=0.5, value=-6, label="start · 起点 $w$", show_value=True
    )
    start_b = mo.ui.slider(
        -9, 9, step=0.5, value=8, label="start · 起点 $b$", show_value=True
    )
    rate = mo.ui.slider(
        steps=[0.1, 0.3, 1, 2], value=1, label="learning rate · 学习率", show_value=True
    )
    steps = mo.ui.slider(
        steps=[5, 10, 20, 50, 100, 200, 500],
        value=100,
        label="steps · 步数",
        show_value=True,
    )
    mo.vstack(
        [
            mo.hstack([start_w, start_b], justify="start", gap=2),
            mo.hstack([rate, steps], justify="start", gap=2),
        ]
    )
    return rate, start_b, start_w, steps


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## From raw tensors

        Gradient descent with both gradients written by hand. The only difference is the slope, $\partial\ell/\partial z$.
        """,
        r"""
        ## 从最原始的张量开始

        下面做梯度下降，两种梯度都手写。唯一的区别是斜率 $\partial\ell/\partial z$。
        """,
    )
    return


@app.cell
def _(mo, rate, start_b, start_w, steps, torch):
    x = torch.tensor([-2.5, -2, -1.5, -1, -0.5, 0.5, 1, 1.5, 2, 2.5], dtype=torch.float64)
    y = torch.tensor([0, 0, 0, 1, 0, 1, 0, 1, 1, 1], dtype=torch.float64)

    def descend(slope):
        w, b = start_w.value, start_b.value
        for _ in range(steps.value):
            p = 1 / (1 + torch.exp(-(w * x + b)))
            dz = slope(p)
            w = w - rate.value * (dz * x).mean()
            b = b - rate.value * dz.mean()
        return torch.stack([w, b])

    by_hand = {
        "cross-entropy": descend(lambda p: p - y),
        "squared error": descend(lambda p: 2 * (p - y) * p * (1 - p)),
    }
    mo.show_code(by_hand, position="above")
    return by_hand, x, y


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## In torch

        `BCELoss` is cross-entropy, `MSELoss` is squared error. Both compare the module's probabilities with $y$.
        """,
        r"""
        ## 用 torch

        `BCELoss` 是交叉熵，`MSELoss` 是平方误差。它们都把模块输出的概率与 $y$ 比较。
        """,
    )
    return


@app.cell
def _(mo, rate, start_b, start_w, steps, torch, x, y):
    def train(loss):
        model = torch.nn.Sequential(torch.nn.Linear(1, 1), torch.nn.Sigmoid()).double()
        with torch.no_grad():
            model[0].weight.fill_(start_w.value)
            model[0].bias.fill_(start_b.value)
        optimizer = torch.optim.SGD(model.parameters(), lr=rate.value)
        for _ in range(steps.value):
            optimizer.zero_grad()
            loss(model(x.unsqueeze(1)).squeeze(1), y).backward()
            optimizer.step()
        return torch.cat([model[0].weight[0], model[0].bias]).detach()

    by_torch = {
        "cross-entropy": train(torch.nn.BCELoss()),
        "squared error": train(torch.nn.MSELoss()),
    }
    mo.show_code(by_torch, position="above")
    return (by_torch,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## In onelayer

        The loss is one argument, `"log"` or `"probability-squared"`. `Iterates` keeps the way of each fit for the
        pictures below, `tol=0` asks for all the steps, and `C=inf` for no penalty.
        """,
        r"""
        ## 用 onelayer

        损失函数只是一个参数：`"log"` 或 `"probability-squared"`。`Iterates` 记下每次拟合走过的路，供下面画图；`tol=0` 表示走完所有的步，`C=inf` 表示没有惩罚项。
        """,
    )
    return


@app.cell
def _(mo, ol, rate, start_b, start_w, steps, torch, x, y):
    X = x.unsqueeze(1)
    losses = {"cross-entropy": "log", "squared error": "probability-squared"}
    fits, paths = {}, {}
    for _name, _loss in losses.items():
        paths[_name] = ol.callbacks.Iterates()
        fits[_name] = ol.LogisticRegression(
            C=float("inf"),
            loss=_loss,
            init=([[start_w.value]], [start_b.value]),
            solver=ol.solvers.GradientDescent(rate.value, steps=steps.value),
            tol=0,
        )
        fits[_name].set_callbacks(paths[_name]).fit(X, y)
    by_onelayer = {
        name: torch.cat([model.coef_[0], model.intercept_]) for name, model in fits.items()
    }
    mo.show_code(by_onelayer, position="above")
    return X, by_onelayer, fits, losses, paths


@app.cell(hide_code=True)
def _(by_hand, by_onelayer, by_torch, say):
    say.table(
        [
            ("", ""),
            ("cross-entropy: w", "交叉熵：w"),
            ("b", "b"),
            ("squared error: w", "平方误差：w"),
            ("b", "b"),
        ],
        [
            [_name, *_ends["cross-entropy"], *_ends["squared error"]]
            for _name, _ends in (
                (("by hand", "手写"), by_hand),
                (("torch", "torch"), by_torch),
                (("onelayer", "onelayer"), by_onelayer),
            )
        ],
    )
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        The losses themselves agree as well. Here are their values at your start, $p = \sigma(wx + b)$, the mean over the
        ten points. `CrossEntropyLoss` takes one score per class: $0$ for class 0 and $z$ for class 1.
        """,
        r"""
        损失函数本身也一致。下面是它们在你所选起点 $p = \sigma(wx + b)$ 处的值，对十个点取平均。`CrossEntropyLoss` 需要每个类别一个得分：类别 0 为 $0$，类别 1 为 $z$。
        """,
    )
    return


@app.cell
def _(mo, ol, start_b, start_w, torch, x, y):
    z = start_w.value * x + start_b.value
    p = torch.sigmoid(z)
    cross_entropies = {
        "by hand": -(y * torch.log(p) + (1 - y) * torch.log(1 - p)).mean(),
        "torch BCELoss": torch.nn.BCELoss()(p, y),
        "torch CrossEntropyLoss": torch.nn.CrossEntropyLoss()(
            torch.stack([0 * z, z], dim=1), y.long()
        ),
        "onelayer": ol.losses.Logistic().value(z, y).mean(),
    }
    squared_errors = {
        "by hand": (p - y).square().mean(),
        "torch MSELoss": torch.nn.MSELoss()(p, y),
        "onelayer": ol.losses.ProbabilitySquaredError().value(z, y).mean(),
    }
    mo.show_code((cross_entropies, squared_errors), position="above")
    return cross_entropies, squared_errors


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## The two landscapes

        Both losses over all $w$ and $b$, with the steps from your start. Contours are close together where it is steep.
        Cross-entropy is steep wherever the answers are wrong. Squared error has wide plains at several heights.
        """,
        r"""
        ## 两种地形

        两种损失函数随 $w$、$b$ 的变化，以及从你的起点走出的步子。等高线越密，坡越陡。交叉熵在答错的地方处处都陡。平方误差则有几片高低不同的大平地。
        """,
    )
    return


@app.cell
def _(X, fits, mo, ol, paths, y):
    from matplotlib.figure import Figure

    surfaces = {
        name: ol.plots.LossSurfaceDisplay.from_estimator(
            model, X, y, [paths[name]], path_names=[name], limits=((-8, 8), (-10, 10))
        )
        for name, model in fits.items()
    }
    picture = Figure(figsize=(11, 4.4), layout="constrained")
    for _ax, (_name, _surface) in zip(
        picture.subplots(1, 2), surfaces.items(), strict=True
    ):
        _surface.plot(_ax)
        _ax.set_title(_name)
    mo.show_code(picture, position="above")
    return picture, surfaces


@app.cell(hide_code=True)
def _(mo):
    which = mo.ui.radio(
        {
            "cross-entropy · 交叉熵": "cross-entropy",
            "squared error · 平方误差": "squared error",
        },
        value="squared error · 平方误差",
        inline=True,
    )
    which
    return (which,)


@app.cell
def _(mo, surfaces, which):
    deep_picture = surfaces[which.value].plot(kind="3d").figure_
    mo.show_code(deep_picture, position="above")
    return (deep_picture,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Numbers, not pictures

        Two losses have two scales. What compares them is the share of the way that is left,
        $(P - P^*) / (P_0 - P^*)$: 1 at the start, 0 at the lowest value $P^*$.

        $P^*$ is measured. Twelve starts, drawn at random, go down with step lengths that the solver chooses; the lowest
        end counts. For cross-entropy all ends are one and the same: it is convex, and a place without a slope is the
        lowest. For squared error there is no such proof, only that no start found anything lower.
        """,
        r"""
        ## 看数字，不只看图

        两种损失函数的尺度不同。可以比较的是剩余路程的比例 $(P - P^*) / (P_0 - P^*)$：在起点为 1，在最低值 $P^*$ 处为 0。

        $P^*$ 是测量出来的。随机抽取十二个起点，步长由求解器选择，取最低的终点。交叉熵的终点全都相同：它是凸函数，没有坡度的地方就是最低点。平方误差没有这样的证明，只能说没有哪个起点找到过更低的值。
        """,
    )
    return


@app.cell
def _(X, losses, mo, ol, y):
    searched = {
        name: ol.LogisticRegression(
            C=float("inf"),
            loss=loss,
            init=3.0,  # the standard deviation of the starts
            n_init=12,
            random_state=0,
            solver=ol.solvers.GradientDescent(steps=40),
            tol=0,
        ).fit(X, y)
        for name, loss in losses.items()
    }
    lowest = {name: model.result_.objective for name, model in searched.items()}
    mo.show_code(lowest, position="above")
    return lowest, searched


@app.cell
def _(fits, lowest, mo, torch):
    def share_left(name):
        values = torch.tensor(
            [record.objective for record in fits[name].result_.trace], dtype=torch.float64
        )
        return (values - lowest[name]) / (values[0] - lowest[name])

    left = {name: share_left(name) for name in fits}
    # the first step after which cross-entropy has less than 0.05 of the way left
    arrivals = (left["cross-entropy"] < 0.05).nonzero().flatten().tolist()
    arrived = arrivals[0] if arrivals else None
    mo.show_code(arrived, position="above")
    return arrived, left


@app.cell(hide_code=True)
def _(arrived, fits, left, lowest, say, steps):
    _at = steps.value if arrived is None else arrived
    _rows = [
        [
            ("at the start, $P_0$", "起点，$P_0$"),
            *(model.result_.trace[0].objective for model in fits.values()),
        ],
        [("lowest, $P^*$", "最低，$P^*$"), *lowest.values()],
    ]
    _rows += [
        [
            (f"share left after {k} steps", f"{k} 步后的剩余比例"),
            *(share[k].item() for share in left.values()),
        ]
        for k in dict.fromkeys((_at, steps.value))
    ]
    say.table([("", ""), ("cross-entropy", "交叉熵"), ("squared error", "平方误差")], _rows)
    return


@app.cell(hide_code=True)
def _(arrived, left, say, steps):
    if arrived is None:
        _text = (
            f"Cross-entropy has more than 0.05 of the way left after {steps.value} steps: give it more of them.",
            f"走了 {steps.value} 步，交叉熵的剩余比例仍大于 0.05：请增加步数。",
        )
    else:
        _share = left["squared error"][arrived].item()
        _text = (
            f"Cross-entropy came under 0.05 in {arrived} steps. Squared error then has {_share:.2f} of its way left"
            + (
                ", more than half."
                if _share > 0.5
                else ". From this start it is on its way, too."
            ),
            f"交叉熵用 {arrived} 步降到 0.05 以下。此时平方误差还剩 {_share:.2f}"
            + ("，超过一半。" if _share > 0.5 else "。从这个起点出发，它也在前进。"),
        )
    summary = say(*_text)
    summary
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        Move the start. Near $w = 0$, $b = 0$ both losses arrive; the plains are far out. There the steps are so short that
        more of them hardly help: at the learning rate 1, squared error needs about 18,000 steps from $w = -6$, $b = 8$. Some
        plains fall gently towards infinity: from $w = 0$, $b = 9$ it walks that way and never arrives.
        """,
        r"""
        请移动起点。在 $w = 0$、$b = 0$ 附近，两种损失函数都能到达；平地都在远处。那里的每一步都极短，多走几步几乎没用：学习率为 1 时，从 $w = -6$、$b = 8$ 出发，平方误差大约需要 18000 步。有些平地缓缓地通向无穷远：从 $w = 0$、$b = 9$ 出发，它就朝那边走去，永远到不了。
        """,
    )
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## A cure: several starts

        If one start fails, try several and keep the best end: `n_init=`. Each costs as much as the first, and whether one
        of them is good is luck. The spread is the standard deviation that $w$ and $b$ are drawn with: make it larger and
        see. Cross-entropy needs one start, from anywhere.
        """,
        r"""
        ## 补救办法：多个起点

        一个起点不行，就多试几个，保留最好的终点：`n_init=`。每个起点的代价都与第一个相同，其中有没有好的全凭运气。分散程度是抽取 $w$ 和 $b$ 时所用的标准差：把它调大，看看会怎样。交叉熵只需要一个起点，在哪里都行。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    starts = mo.ui.slider(1, 12, value=6, label="starts · 起点个数", show_value=True)
    spread = mo.ui.slider(1, 10, value=4, label="spread · 分散程度", show_value=True)
    mo.hstack([starts, spread], justify="start", gap=2)
    return spread, starts


@app.cell
def _(X, losses, mo, ol, spread, starts, torch, y):
    several = {
        name: ol.LogisticRegression(
            C=float("inf"),
            loss=loss,
            init=float(spread.value),
            n_init=starts.value,
            random_state=0,
            solver=ol.solvers.GradientDescent(1.0, steps=100),
            tol=0,
        ).fit(X, y)
        for name, loss in losses.items()
    }
    ends = {name: torch.tensor(model.result_.starts) for name, model in several.items()}
    mo.show_code(ends, position="above")
    return ends, several


@app.cell(hide_code=True)
def _(lowest, say, several):
    near = {
        name: sum(end < lowest[name] + 0.01 for end in model.result_.starts)
        for name, model in several.items()
    }
    say.table(
        [("", ""), ("cross-entropy", "交叉熵"), ("squared error", "平方误差")],
        [
            [
                (
                    "starts that came within 0.01 of $P^*$",
                    "终点距 $P^*$ 不到 0.01 的起点数",
                ),
                *near.values(),
            ],
            [
                ("best end", "最好的终点"),
                *(model.result_.objective for model in several.values()),
            ],
            [
                ("passes over the data", "遍历数据的次数"),
                *(model.result_.passes for model in several.values()),
            ],
        ],
    )
    return (near,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Exercise

        A point has $y = 1$ and the score $z = -4$. How many times as large as the gradient by $z$ of squared error is that
        of cross-entropy? Three digits are enough; $\sigma(-4) = 0.01799$.
        """,
        r"""
        ## 练习

        某个点的 $y = 1$，得分 $z = -4$。交叉熵对 $z$ 的梯度是平方误差的多少倍？取三位有效数字即可；$\sigma(-4) = 0.01799$。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo, torch):
    from onelayer.lessons import NumberExercise

    _p = torch.sigmoid(torch.tensor(-4.0, dtype=torch.float64)).item()
    _slope = _p * (1 - _p)
    exercise = NumberExercise(
        1 / (2 * _slope),
        [
            (
                1 / _slope,
                "Nearly: the square also brings a factor of 2 down.",
                "差一点：平方求导还会多出因子 2。",
            ),
            (
                2 * _slope,
                "The other way round: divide the gradient of cross-entropy by that of squared error.",
                "反了：应当用交叉熵的梯度除以平方误差的梯度。",
            ),
            (
                1 / (2 * _p),
                "The factor is p(1 − p): you left out 1 − p.",
                "因子是 p(1 − p)：你漏了 1 − p。",
            ),
            (
                1 - _p,
                "That is the size of the gradient of cross-entropy alone: divide by the other one.",
                "这只是交叉熵梯度的大小：还要除以另一个。",
            ),
        ],
    )
    answer = mo.ui.text(placeholder="12.3")
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
        Cross-entropy is convex here: it has one valley, and every way down leads into it. How fast, and with which learning
        rate, is the subject of the lesson *Gradient descent*.
        """,
        r"""
        交叉熵在这里是凸函数：只有一个山谷，每条下坡路都通向它。走得多快、该用多大的学习率，见《梯度下降》一课。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
