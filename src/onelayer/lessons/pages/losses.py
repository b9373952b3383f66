import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="The losses")


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
        # The losses

        The truth is $y$, the model says $z$: how bad is that, as a number? And what does it change if I choose another
        number?

        Let $r = z - y$ be the **residual**. Three answers, and their gradients by $z$:

        $$\begin{array}{lll}
        \text{squared} & \ell = \tfrac12 r^2 & \ell' = r \\[4pt]
        \text{absolute} & \ell = |r| & \ell' = \operatorname{sign} r \\[4pt]
        \text{Huber} & \ell = \begin{cases} \tfrac12 r^2 & |r| \le \delta \\ \delta\,(|r| - \tfrac12\delta) & |r| > \delta \end{cases}
        & \ell' = \begin{cases} r & |r| \le \delta \\ \delta \operatorname{sign} r & |r| > \delta \end{cases}
        \end{array}$$

        Huber's robust loss is squared near zero and absolute far away; $\delta$ says where it changes. Choose $\delta$, and a
        residual to look at.
        """,
        r"""
        # 损失函数

        真实值是 $y$，模型说是 $z$：这有多糟糕，怎样用一个数来表示？换一种表示方法，又会改变什么？

        令 $r = z - y$ 为**残差**。下面是三种回答，以及它们对 $z$ 的梯度：

        $$\begin{array}{lll}
        \text{L2（平方）} & \ell = \tfrac12 r^2 & \ell' = r \\[4pt]
        \text{L1（绝对值）} & \ell = |r| & \ell' = \operatorname{sign} r \\[4pt]
        \text{Huber} & \ell = \begin{cases} \tfrac12 r^2 & |r| \le \delta \\ \delta\,(|r| - \tfrac12\delta) & |r| > \delta \end{cases}
        & \ell' = \begin{cases} r & |r| \le \delta \\ \delta \operatorname{sign} r & |r| > \delta \end{cases}
        \end{array}$$

        Huber 的鲁棒损失在零附近是平方，在远处是绝对值；$\delta$ 决定在哪里转换。请选择 $\delta$ 和要观察的残差。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    delta = mo.ui.slider(0.1, 3, step=0.1, value=1, label=r"$\delta$", show_value=True)
    residual = mo.ui.slider(-3, 3, step=0.1, value=2, label="$r$", show_value=True)
    mo.hstack([delta, residual], justify="start", gap=2)
    return delta, residual


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## From raw tensors

        Your residual and four fixed ones: the losses one by one, and the gradients.
        """,
        r"""
        ## 从原始张量开始

        你选的残差，再加上四个固定的残差：逐个计算损失和梯度。
        """,
    )
    return


@app.cell
def _(delta, mo, residual):
    import torch

    r = torch.tensor([residual.value, -3.0, -0.5, 0.0, 1.5], dtype=torch.float64)
    near = r.abs() <= delta.value

    values_by_hand = {
        "squared": r**2 / 2,
        "absolute": r.abs(),
        "Huber": torch.where(near, r**2 / 2, delta.value * (r.abs() - delta.value / 2)),
    }
    gradients_by_hand = {
        "squared": r,
        "absolute": r.sign(),
        "Huber": torch.where(near, r, delta.value * r.sign()),
    }
    means_by_hand = {name: v.mean().item() for name, v in values_by_hand.items()}
    mo.show_code(means_by_hand, position="above")
    return gradients_by_hand, means_by_hand, r, torch, values_by_hand


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## In torch

        A module for each; autograd finds the gradient. They return the **mean** over the samples unless told otherwise.
        And `MSELoss` is the mean of $(y-z)^2$, without the half: **twice** our squared loss, with twice the gradient. The
        best model is the same for both.
        """,
        r"""
        ## 用 torch

        每种损失都有一个模块，梯度由自动求导得到。如果不另外说明，它们返回所有样本的**平均值**。注意 `MSELoss` 是 $(y-z)^2$ 的平均值，没有二分之一：它是我们平方损失的**两倍**，梯度也是两倍。两者的最优模型相同。
        """,
    )
    return


@app.cell
def _(delta, mo, r, torch):
    y = torch.zeros_like(r)
    means_by_torch, gradients_by_torch = {}, {}
    for name, loss in {
        "squared": torch.nn.MSELoss(),
        "absolute": torch.nn.L1Loss(),
        "Huber": torch.nn.HuberLoss(delta=delta.value),
    }.items():
        z = (y + r).requires_grad_()
        mean = loss(z, y)
        mean.backward()
        means_by_torch[name] = mean.item()
        # backward() went through the mean, which divides by the number of samples.
        gradients_by_torch[name] = z.grad * len(z)
    mo.show_code(means_by_torch, position="above")
    return gradients_by_torch, means_by_torch, y


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## With onelayer

        A loss knows its value and its gradient for each sample. Averaging is somebody else's work.
        """,
        r"""
        ## 用 onelayer

        损失函数知道自己在每个样本上的值和梯度，求平均则不归它管。
        """,
    )
    return


@app.cell
def _(delta, mo, r, y):
    import onelayer as ol

    losses = {
        "squared": ol.losses.SquaredError(),
        "absolute": ol.losses.AbsoluteError(),
        "Huber": ol.losses.Huber(delta.value),
    }
    means_by_onelayer = {k: v.value(y + r, y).mean().item() for k, v in losses.items()}
    gradients_by_onelayer = {k: v.gradient(y + r, y) for k, v in losses.items()}
    mo.show_code(means_by_onelayer, position="above")
    return gradients_by_onelayer, losses, means_by_onelayer, ol


@app.cell(hide_code=True)
def _(
    gradients_by_hand,
    gradients_by_onelayer,
    gradients_by_torch,
    means_by_hand,
    means_by_onelayer,
    means_by_torch,
    mo,
    residual,
    say,
):
    _names = {"squared": "L2（平方）", "absolute": "L1（绝对值）", "Huber": "Huber"}
    _ways = [("by hand", "手写"), ("torch", "torch"), ("onelayer", "onelayer")]
    _mean = (means_by_hand, means_by_torch, means_by_onelayer)
    _gradient = (gradients_by_hand, gradients_by_torch, gradients_by_onelayer)
    _half = {"squared": 0.5}
    mo.vstack(
        [
            say.table(
                [("mean loss (half of MSELoss)", "平均损失（MSELoss 取一半）"), *_ways],
                [
                    [
                        (_k, _names[_k]),
                        _mean[0][_k],
                        _mean[1][_k] * _half.get(_k, 1),
                        _mean[2][_k],
                    ]
                    for _k in _names
                ],
            ),
            say.table(
                [
                    (
                        f"gradient at r = {residual.value:.1f} (half of MSELoss)",
                        f"r = {residual.value:.1f} 处的梯度（MSELoss 取一半）",
                    ),
                    *_ways,
                ],
                [
                    [
                        (_k, _names[_k]),
                        _gradient[0][_k][0],
                        _gradient[1][_k][0] * _half.get(_k, 1),
                        _gradient[2][_k][0],
                    ]
                    for _k in _names
                ],
            ),
        ],
        gap=1.5,
    )
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## The picture, and why the gradient matters

        Each loss with its gradient and its **likelihood** $e^{-\ell}$. To choose a loss is to say which errors one expects:
        $e^{-r^2/2}$ is the bell of the normal distribution, for which a large error is nearly impossible; $e^{-|r|}$ has a peak
        and long tails, for which it is not; Huber's has a round top and long tails.

        The gradient is the pull of one sample on the model.

        - **Squared:** the farther from the target, the larger the update. One sample far away outweighs many near ones.
        - **Absolute:** the same pull at any distance; but at 0 it jumps from −1 to 1, so gradient descent does not settle, it
          jitters around the target.
        - **Huber:** the good side of both. Near the target the pull fades, far away it stays at $\delta$.
        """,
        r"""
        ## 图像，以及梯度为什么重要

        每种损失都画出它的梯度和**似然** $e^{-\ell}$。选择损失函数，就是说明自己预期有什么样的误差：$e^{-r^2/2}$ 是正态分布的钟形曲线，大误差几乎不可能出现；$e^{-|r|}$ 有尖峰和长尾，大误差并不稀奇；Huber 的似然顶部圆滑，也有长尾。

        梯度是一个样本对模型的拉力。

        - **L2（平方）**：离目标越远，更新幅度越大。一个很远的样本比许多近处的样本更有分量。
        - **L1（绝对值）**：无论多远拉力都一样；但在 0 处从 −1 跳到 1，所以梯度下降停不下来，总在目标附近抖动。
        - **Huber**：兼有两者的优点。接近目标时拉力减弱，远处则保持为 $\delta$。
        """,
    )
    return


@app.cell
def _(losses, mo, ol):
    curves = ol.plots.LossCurvesDisplay.from_losses(list(losses.values())).plot()
    mo.show_code(curves.figure_, position="above")
    return (curves,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## One point far away

        Ten points near the line $y = 0.5x + 1$, but one of them is wrong. Drag it (or any other) up and down, and change
        $\delta$ above: which line follows it?
        """,
        r"""
        ## 一个离群点

        十个点都在直线 $y = 0.5x + 1$ 附近，但其中一个是错的。请上下拖动它（或别的点），并改变上面的 $\delta$：哪条直线会跟着它走？
        """,
    )
    return


@app.cell
def _(mo):
    from onelayer.lessons.points import DraggablePoints

    start = [[0.5, 1.4], [1.5, 1.5], [2.5, 2.4], [3.5, 3.0], [4.5, 3.0]]
    start += [[5.5, 3.9], [6.5, 3.9], [7.5, 5.0], [8.5, 0.5], [9.5, 5.5]]
    mo.show_code(len(start), position="above")
    return DraggablePoints, start


@app.cell
def _(DraggablePoints, mo, start):
    dots = mo.ui.anywidget(DraggablePoints(start, x_range=[0, 10], y_range=[0, 10]))
    mo.show_code(dots, position="above")
    return (dots,)


@app.cell(hide_code=True)
def _(dots, say):
    dots.hint = say.text(
        "Drag a point, or press Tab to reach it and use the arrow keys (Shift: larger steps).",
        "拖动一个点；也可以按 Tab 键选中它，再用方向键移动（按住 Shift 步子更大）。",
    )
    dots.edge = say.text("The point stays at the edge of the plot.", "点停在图的边缘。")
    return


@app.cell(hide_code=True)
def _(dots, mo, say, torch):
    from onelayer.lessons import read_points

    _points, _problem = read_points(
        dots.value["points"], {"x": (0, 10), "y": (0, 10)}, least=2
    )
    mo.stop(_problem is not None, _problem and say.problem(*_problem))
    points = torch.tensor(_points)
    mo.stop(
        points[:, 0].std() < 1e-6,
        say.problem(
            "All points have the same x, so every slope fits as well: move one of them aside.",
            "所有点的 x 都相同，任何斜率都一样好：请把其中一个移开。",
        ),
    )
    return (points,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        Squared and Huber are smooth, and the exact optimum is found; a trace of a penalty (`alpha=1e-6`) lets onelayer prove
        it. The absolute loss has a kink, so small steps of gradient descent have to do.
        """,
        r"""
        L2 和 Huber 是光滑的，可以求出精确的最优解；加上极小的惩罚项（`alpha=1e-6`），onelayer 就能证明它是最优的。L1 有尖点，所以只好用小步的梯度下降来近似。
        """,
    )
    return


@app.cell
def _(delta, mo, ol, points):
    import warnings

    small_steps = ol.solvers.GradientDescent(learning_rate=0.05, steps=400)
    models = {
        "squared": ol.LinearRegression("squared", alpha=1e-6),
        "absolute": ol.LinearRegression("absolute", solver=small_steps, standardize=True),
        "Huber": ol.LinearRegression(ol.losses.Huber(delta.value), alpha=1e-6),
    }
    with warnings.catch_warnings():
        # Points that lie on a line leave no loss to measure a gap by.
        warnings.simplefilter("ignore")
        lines = {
            name: model.fit(points[:, :1], points[:, 1]) for name, model in models.items()
        }
    slopes = {name: line.coef_.item() for name, line in lines.items()}
    mo.show_code(slopes, position="above")
    return lines, slopes


@app.cell(hide_code=True)
def _(lines, mo, points, say, torch):
    from matplotlib.figure import Figure

    fits = Figure(figsize=(5.2, 3.6), layout="constrained")
    _axes = fits.add_subplot(xlabel="x", ylabel="y", xlim=(0, 10), ylim=(-0.3, 10.3))
    _x = torch.tensor([[0.0], [10.0]], dtype=torch.float64)
    _axes.plot(*points.T, "o", color="black", markersize=4)
    _styles = {"squared": "-", "absolute": ":", "Huber": "--"}
    _colours = {"squared": "#D55E00", "absolute": "#009E73", "Huber": "#0072B2"}
    for _name, _line in lines.items():
        _axes.plot(
            _x,
            _line.predict(_x),
            _styles[_name],
            color=_colours[_name],
            linewidth=2,
            label=_name,
        )
    _axes.plot(_x, 0.5 * _x + 1, color="0.6", linewidth=0.8, label="y = 0.5x + 1")
    _axes.spines[["top", "right"]].set_visible(False)
    _axes.legend(frameon=False, loc="upper left")
    _names = {"squared": "L2（平方）", "absolute": "L1（绝对值）", "Huber": "Huber"}
    mo.hstack(
        [
            fits,
            say.table(
                [("loss", "损失"), ("slope", "斜率"), ("intercept", "截距")],
                [
                    [(_name, _names[_name]), _line.coef_.item(), float(_line.intercept_)]
                    for _name, _line in lines.items()
                ],
            ),
        ],
        justify="start",
        align="center",
        gap=1,
        wrap=True,
    )
    return (fits,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Cross-entropy: the distance of two distributions

        Where the answer is a class, the truth is a distribution $p$, such as $(1, 0, 0)$, and the model gives another one, $q$.
        How well $q$ stands for $p$ is measured by

        $$H(p, q) = -\sum_k p_k \log q_k .$$

        It is smallest where $q = p$. (It is no distance in the strict sense: $H(p, q) \ne H(q, p)$ in general, and $H(p, p)$ is 0 only for a $p$ such as $(1, 0, 0)$.) Two models answered the
        same question; change the numbers, and say which is better.
        """,
        r"""
        ## 交叉熵：两个概率分布之间的距离

        如果答案是类别，真实情况就是一个分布 $p$，例如 $(1, 0, 0)$，模型给出另一个分布 $q$。用 $q$ 来表示 $p$ 的好坏，用下式衡量：

        $$H(p, q) = -\sum_k p_k \log q_k .$$

        当 $q = p$ 时它最小。（严格来说它不是距离：一般 $H(p, q) \ne H(q, p)$，而且只有像 $(1, 0, 0)$ 这样的 $p$ 才有 $H(p, p) = 0$。）两个模型回答了同一个问题；请改变这些数，看看哪个更好。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    truth = mo.ui.text(value="1, 0, 0", label="truth · 真实 $p$", debounce=False)
    model_a = mo.ui.text(value="0.5, 0.2, 0.3", label="A $q$", debounce=False)
    model_b = mo.ui.text(value="0.7, 0.1, 0.2", label="B $q$", debounce=False)
    mo.hstack([truth, model_a, model_b], justify="start", gap=1, wrap=True)
    return model_a, model_b, truth


@app.cell(hide_code=True)
def _(mo, model_a, model_b, say, torch, truth):
    import re as _re

    from onelayer.lessons import read_number

    def _read(text, who, count=None):
        """Return (probabilities, None) or (None, problem)."""
        numbers = []
        for part in _re.split(
            "[,\\s\uff0c\u3001;\uff1b]+", text.strip(" ,()[]\uff0c\u3001\uff08\uff09")
        ):
            number, why = read_number(part, 0, 1)
            if why:
                return None, (f"{who}: {why[0]}", f"{who}：{why[1]}")
            numbers.append(number)
        if count and len(numbers) != count:
            return None, (
                f"{who} has {len(numbers)} probabilities and p has {count}: give one for each class.",
                f"{who} 有 {len(numbers)} 个概率，而 p 有 {count} 个：请为每个类别各给一个。",
            )
        if abs(sum(numbers) - 1) > 1e-6:
            return None, (
                f"{who}: the probabilities sum to {sum(numbers):.6g}, and have to sum to 1.",
                f"{who}：各概率之和是 {sum(numbers):.6g}，应当等于 1。",
            )
        if count and 0 in numbers:
            return None, (
                f"{who} has a probability of 0, whose logarithm is minus infinity: type a small one, as 0.001. (On paper a softmax never gives 0.)",
                f"{who} 含有概率 0，它的对数是负无穷大：请输入一个很小的数，例如 0.001。（理论上 softmax 永远不会给出 0。）",
            )
        return numbers, None

    _p, _problem = _read(truth.value, "p")
    mo.stop(_problem is not None, _problem and say.problem(*_problem))
    _a, _problem = _read(model_a.value, "A", len(_p))
    mo.stop(_problem is not None, _problem and say.problem(*_problem))
    _b, _problem = _read(model_b.value, "B", len(_p))
    mo.stop(_problem is not None, _problem and say.problem(*_problem))
    p, q_a, q_b = (torch.tensor(_q, dtype=torch.float64) for _q in (_p, _a, _b))
    return p, q_a, q_b


@app.cell
def _(mo, ol, p, q_a, q_b, torch):
    classes = torch.arange(len(p))
    entropies = {}
    for model, q in {"A": q_a, "B": q_b}.items():
        in_base_10 = -(p * torch.log10(q)).sum()
        natural = -(p * torch.log(q)).sum()
        # The logarithms of q are scores whose softmax is q.
        of_torch = torch.nn.CrossEntropyLoss()(torch.log(q), p)
        # The loss of each class, had it been the true one.
        each = ol.losses.CrossEntropy().value(torch.log(q).repeat(len(p), 1), classes)
        of_onelayer = (p * each).sum()
        entropies[model] = torch.stack([in_base_10, natural, of_torch, of_onelayer])
    better = min(entropies, key=lambda model: entropies[model][0])
    mo.show_code({"better": better}, position="above")
    return better, entropies


@app.cell(hide_code=True)
def _(entropies, say):
    say.table(
        [
            ("H(p, q)", "H(p, q)"),
            ("by hand, base 10", "手写，以 10 为底"),
            ("by hand, natural", "手写，自然对数"),
            ("torch", "torch"),
            ("onelayer", "onelayer"),
        ],
        [[_model, *_values] for _model, _values in entropies.items()],
    )
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        Two bases, one meaning: $-\log_{10} 0.5 = 0.301$ and $-\ln 0.5 = 0.693$ differ by the factor $\ln 10 = 2.303$ and rank models alike.
        Course notes often compute in base 10; torch and onelayer use the natural logarithm, whose derivative is simply $1/q$.

        ## Two classes: BCE, and sum against mean

        With two classes one number says it all: the truth is $(1-y,\, y)$, the model $(1-\hat y,\, \hat y)$, and their cross-entropy is

        $$\ell = -\big[y \log \hat y + (1-y) \log (1-\hat y)\big],$$

        the **binary cross-entropy** (BCE). For several samples the losses are summed, or averaged: torch's `reduction`. The
        sum of $n$ samples has an $n$ times larger gradient, so with the same learning rate it makes $n$ times larger steps.
        (`size_average=False` in older code is `reduction="sum"` today.)
        """,
        r"""
        底数不同，意义相同：$-\log_{10} 0.5 = 0.301$ 与 $-\ln 0.5 = 0.693$ 只差一个因子 $\ln 10 = 2.303$，对模型的排序不变。课程笔记常用以 10 为底的对数；torch 和 onelayer 用自然对数，它的导数就是 $1/q$。

        ## 两个类别：BCE，求和还是求平均

        只有两个类别时，一个数就够了：真实分布是 $(1-y,\, y)$，模型是 $(1-\hat y,\, \hat y)$，它们的交叉熵是

        $$\ell = -\big[y \log \hat y + (1-y) \log (1-\hat y)\big],$$

        即**二元交叉熵**（BCE）。有多个样本时，损失可以求和，也可以求平均，由 torch 的 `reduction` 决定。$n$ 个样本之和的梯度是平均值的 $n$ 倍，所以学习率相同时，步长也是 $n$ 倍。（旧代码里的 `size_average=False` 就是现在的 `reduction="sum"`。）
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    confidence = mo.ui.slider(
        0.01,
        0.99,
        step=0.01,
        value=0.8,
        label=r"$\hat y$ of the third sample · 第三个样本的 $\hat y$",
        show_value=True,
    )
    confidence
    return (confidence,)


@app.cell
def _(confidence, mo, ol, torch):
    labels = torch.tensor([0.0, 0.0, 1.0], dtype=torch.float64)
    y_hat = torch.tensor([0.1, 0.3, confidence.value], dtype=torch.float64)

    each_one = -(labels * torch.log(y_hat) + (1 - labels) * torch.log(1 - y_hat))
    scores = torch.logit(y_hat)
    from_scores = ol.losses.Logistic().value(scores, labels)
    bce = {
        "sum": [
            each_one.sum().item(),
            torch.nn.BCELoss(reduction="sum")(y_hat, labels).item(),
            from_scores.sum().item(),
        ],
        "mean": [
            each_one.mean().item(),
            torch.nn.BCELoss(reduction="mean")(y_hat, labels).item(),
            from_scores.mean().item(),
        ],
    }
    mo.show_code(each_one.tolist(), position="above")
    return (bce,)


@app.cell(hide_code=True)
def _(bce, say):
    say.table(
        [
            ("BCE", "BCE"),
            ("by hand", "手写"),
            ("torch", "torch"),
            ("onelayer", "onelayer"),
        ],
        [
            [("sum", "求和"), *bce["sum"]],
            [("mean", "求平均"), *bce["mean"]],
        ],
    )
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Exercise

        Write Huber's loss `huber(r, delta)`: the loss of each residual, for a tensor `r` and a number `delta`.
        """,
        r"""
        ## 练习

        请写出 Huber 损失 `huber(r, delta)`：返回每个残差的损失，其中 `r` 是张量，`delta` 是一个数。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo, torch):
    from onelayer.lessons import CodeExercise

    def _huber(r, delta, near=lambda r: r**2 / 2, far=None):
        far = far or (lambda r: delta * (r.abs() - delta / 2))
        return torch.where(r.abs() <= delta, near(r), far(r))

    _r = torch.tensor([-3.0, -0.25, 0.0, 0.5, 4.0], dtype=torch.float64)
    exercise = CodeExercise(
        "huber",
        _huber,
        [(_r, 2.0), (_r, 0.5)],
        [
            (
                lambda r, delta: _huber(r, delta, near=lambda r: r**2),
                "Near zero the half is missing: ½r². As it is, the two pieces do not meet.",
                "零附近少了二分之一：应为 ½r²。现在两段接不上。",
            ),
            (
                lambda r, delta: _huber(r, delta, far=lambda r: r.abs()),
                "Far away |r| alone leaves a jump at δ: it is δ(|r| − δ/2), which continues ½r² with the same slope.",
                "远处只写 |r| 会在 δ 处跳跃：应为 δ(|r| − δ/2)，它与 ½r² 相接且斜率相同。",
            ),
            (
                lambda r, delta: _huber(r, delta, far=lambda r: r.abs() - delta / 2),
                "Far away the factor δ is missing: the slope there is δ, not 1.",
                "远处少了因子 δ：那里的斜率是 δ，不是 1。",
            ),
            (
                lambda r, delta: _huber(r, delta, far=lambda r: delta * (r - delta / 2)),
                "For negative residuals the loss must be positive too: take |r|.",
                "残差为负时损失也应当为正：请取 |r|。",
            ),
            (
                lambda r, delta: _huber(r, delta, far=lambda r: delta * (r.abs() - delta)),
                "Nearly: at |r| = δ this is 0, and ½δ² is wanted. Subtract δ/2, not δ.",
                "差一点：在 |r| = δ 处这是 0，而应为 ½δ²。要减去 δ/2，不是 δ。",
            ),
            (
                lambda r, delta: torch.where(
                    r <= delta, r**2 / 2, delta * (r.abs() - delta / 2)
                ),
                "Compare |r| with δ, not r: a large negative residual is far away as well.",
                "应当用 |r| 与 δ 比较，而不是 r：很大的负残差也是远处。",
            ),
            (
                lambda r, delta: r.clamp(-delta, delta),
                "That is the gradient. Asked for is the loss.",
                "这是梯度。要求的是损失。",
            ),
            (
                lambda r, delta: _huber(r, delta).mean(),
                "That is the mean; asked for is the loss of each residual.",
                "这是平均值；要求的是每个残差的损失。",
            ),
        ],
        start="def huber(r, delta):\n    return ...\n",
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
        Every loss here came with a likelihood. The next lesson, *Likelihood*, starts from the other end: from coin flips to the
        loss that they imply.
        """,
        r"""
        这里的每种损失都对应一个似然。下一课《似然》从另一头出发：从抛硬币走到它所蕴含的损失函数。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
