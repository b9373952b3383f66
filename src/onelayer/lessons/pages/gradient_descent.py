import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Gradient descent")


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
        # Gradient descent

        The loss says how wrong the parameters are. How does one walk to better ones, and when is one there?

        The example is logistic regression with two features and two parameters $\theta$. A probability
        $h_\theta(x) = \sigma(\theta^\top x)$ is compared with a label $y$ of 0 or 1:

        $$J(\theta) = -\frac1m \sum_{i=1}^m \Big[ y_i \log h_\theta(x_i) + (1-y_i) \log\big(1 - h_\theta(x_i)\big) \Big] .$$

        Gradient descent has four steps.

        1. **Start** somewhere: zeros, or random numbers.
        2. Compute the **gradient** at this place by the chain rule. Here it is
           $\nabla J = \frac1m \sum_i \big(h_\theta(x_i) - y_i\big)\, x_i$.
        3. **Update** against it, $\theta \leftarrow \theta - \eta\, \nabla J$, with the learning rate $\eta$.
        4. **Repeat** 2 and 3 until a rule says stop.
        """,
        r"""
        # 梯度下降

        损失函数说明参数错得有多厉害。怎样一步步走向更好的参数，又怎样知道已经到了？

        例子是有两个特征、两个参数 $\theta$ 的逻辑斯蒂回归。把概率 $h_\theta(x) = \sigma(\theta^\top x)$ 与标签 $y$（0 或 1）比较：

        $$J(\theta) = -\frac1m \sum_{i=1}^m \Big[ y_i \log h_\theta(x_i) + (1-y_i) \log\big(1 - h_\theta(x_i)\big) \Big] .$$

        梯度下降分四步。

        1. 选一个**起点**：全零，或者随机数。
        2. 用链式法则计算此处的**梯度**。这里它是 $\nabla J = \frac1m \sum_i \big(h_\theta(x_i) - y_i\big)\, x_i$。
        3. 沿梯度的反方向**更新**：$\theta \leftarrow \theta - \eta\, \nabla J$，其中 $\eta$ 是学习率。
        4. **重复**第 2、3 步，直到满足停止条件。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    rate_field = mo.ui.text(value="0.3", label="learning rate · 学习率 $\\eta$")
    batch_size = mo.ui.slider(
        steps=[1, 5, 20, 50, 200], value=20, label="batch size · 批量大小", show_value=True
    )
    passes = mo.ui.slider(
        steps=[1, 2, 5, 10, 20],
        value=10,
        label="passes · 轮数",
        show_value=True,
    )
    start_1 = mo.ui.slider(
        -3,
        4,
        step=0.5,
        value=-1,
        label="start · 起点 $\\theta_1$",
        show_value=True,
        debounce=True,
    )
    start_2 = mo.ui.slider(
        -3,
        4,
        step=0.5,
        value=2,
        label="start · 起点 $\\theta_2$",
        show_value=True,
        debounce=True,
    )
    mo.vstack(
        [
            mo.hstack([rate_field], justify="start", gap=2),
            mo.hstack([batch_size, passes], justify="start", gap=2),
            mo.hstack([start_1, start_2], justify="start", gap=2),
        ]
    )
    return batch_size, passes, rate_field, start_1, start_2


@app.cell(hide_code=True)
def _(mo, rate_field, say):
    from onelayer.lessons import read_number

    rate, _problem = read_number(rate_field.value, 1e-6, 1e3)
    mo.stop(_problem is not None, _problem and say.problem(*_problem))
    return (rate,)


@app.cell
def _(mo, start_1, start_2):
    import numpy as np
    import torch
    from matplotlib.figure import Figure

    import onelayer as ol

    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(200, 2, generator=generator, dtype=torch.float64)
    # The two features go together: that makes the loss a valley, not a bowl.
    X = noise @ torch.tensor([[1.0, 0.6], [0.0, 0.8]], dtype=torch.float64)
    truth = torch.tensor([2.0, -1.0], dtype=torch.float64)
    y = torch.bernoulli(torch.sigmoid(X @ truth), generator=generator)
    theta_0 = torch.tensor([start_1.value, start_2.value], dtype=torch.float64)
    mo.show_code(torch.column_stack([X, y])[:3], position="above")
    return Figure, X, np, ol, theta_0, torch, truth, y


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## The two halves of J

        Each sample pays in one of the halves only: with $y = 1$ it pays $-\log h$, with $y = 0$ it pays $-\log(1-h)$. The
        curves below are the two prices; the dots are the 200 samples at your start.
        """,
        r"""
        ## J 的两半

        每个样本只在其中一半里付出代价：$y = 1$ 时付 $-\log h$，$y = 0$ 时付 $-\log(1-h)$。下面的两条曲线是两种代价，圆点是 200 个样本在你所选起点处的位置。
        """,
    )
    return


@app.cell
def _(X, mo, ol, theta_0, torch, y):
    h = torch.sigmoid(X @ theta_0)
    first_half = -(y * torch.log(h)).mean()
    second_half = -((1 - y) * torch.log(1 - h)).mean()
    by_hand = first_half + second_half

    by_torch = torch.nn.BCELoss()(h, y)

    objective = ol.LogisticRegression(C=float("inf"), fit_intercept=False).objective(X, y)
    place = objective.zeros()
    place.weight.copy_(theta_0)
    by_onelayer = objective.value(place)
    mo.show_code(by_onelayer, position="above")
    return by_hand, by_onelayer, by_torch, first_half, h, second_half


@app.cell(hide_code=True)
def _(by_hand, by_onelayer, by_torch, first_half, say, second_half):
    say.table(
        [
            ("−y log h", "−y log h"),
            ("−(1−y) log(1−h)", "−(1−y) log(1−h)"),
            ("sum J", "和 J"),
            ("torch", "torch"),
            ("onelayer", "onelayer"),
        ],
        [[f"{first_half:.6g}", second_half, by_hand, by_torch, by_onelayer]],
    )
    return


@app.cell
def _(Figure, h, mo, torch, y):
    p = torch.linspace(0.002, 0.998, 250)
    halves = Figure(figsize=(5.4, 3.2), layout="constrained")
    axes = halves.add_subplot(
        xlabel="probability h", ylabel="loss of one sample", ylim=(-0.2, 6)
    )
    axes.plot(p, -torch.log(p), color="#0072B2", label="y = 1: −log h")
    axes.plot(p, -torch.log(1 - p), "--", color="#D55E00", label="y = 0: −log(1 − h)")
    ones, zeros = h[y == 1], h[y == 0]
    axes.plot(ones, -torch.log(ones), "o", color="#0072B2", markersize=3.5, alpha=0.4)
    axes.plot(zeros, -torch.log(1 - zeros), "s", color="#D55E00", markersize=3.5, alpha=0.4)
    axes.legend(frameon=False)
    mo.show_code(halves, position="above")
    return (halves,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## The four steps, from raw tensors

        One update looks at all 200 samples: this is *batch* gradient descent, and one update is one pass over the data.
        """,
        r"""
        ## 四个步骤，从张量写起

        每次更新都看全部 200 个样本：这就是*批量*梯度下降，一次更新就是一轮。
        """,
    )
    return


@app.cell
def _(X, mo, passes, rate, theta_0, torch, y):
    def J(theta):
        # −y log h − (1−y) log(1−h) = log(1 + e^z) − yz, which does not overflow.
        z = X @ theta
        return (torch.logaddexp(z, torch.zeros_like(z)) - y * z).mean().item()

    def gradient(theta, rows):
        h = torch.sigmoid(X[rows] @ theta)
        return X[rows].T @ (h - y[rows]) / len(rows)

    everything = torch.arange(len(X))
    theta = theta_0.clone()  # 1. start
    for _ in range(passes.value):  # 4. repeat
        slope = gradient(theta, everything)  # 2. gradient
        theta -= rate * slope  # 3. update
    mo.show_code(theta, position="above")
    return J, everything, gradient, theta


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Batch, stochastic, mini-batch

        The gradient of a few samples is on average that of all, and it is cheap. *Stochastic* gradient descent
        updates after every single sample, *mini-batch* gradient descent after every few. For each pass a new random order is
        drawn. The three differ in one line: which rows an update looks at.
        """,
        r"""
        ## 批量、随机、小批量

        随机抽取的少数样本，其梯度平均而言等于全部样本的梯度，而且计算量小。*随机*梯度下降每看一个样本就更新一次，*小批量*梯度下降每看几个样本更新一次。每一轮都重新打乱顺序。三者只差一行：一次更新看哪些样本。
        """,
    )
    return


@app.cell
def _(X, everything, gradient, mo, np, passes, rate, theta_0, torch):
    def walk(batches_of_a_pass):
        path = [theta_0]
        for _ in range(passes.value):
            for rows in batches_of_a_pass():
                path.append(path[-1] - rate * gradient(path[-1], rows))
        return torch.stack(path)

    def shuffled(size):
        # onelayer draws the seed of its batches from random_state in this way.
        seed = int(np.random.RandomState(0).randint(2**31 - 1))
        order = torch.Generator().manual_seed(seed)
        return lambda: torch.randperm(len(X), generator=order).split(size)

    batch_path = walk(lambda: [everything])
    stochastic_path = walk(shuffled(1))
    mo.show_code(stochastic_path[-1], position="above")
    return batch_path, shuffled, stochastic_path, walk


@app.cell
def _(batch_size, mo, shuffled, walk):
    mini_batch_path = walk(shuffled(batch_size.value))
    mo.show_code(mini_batch_path[-1], position="above")
    return (mini_batch_path,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## torch's short form

        `BCEWithLogitsLoss` takes scores, autograd finds the gradient, `SGD` makes the update. `SGD` does not choose the rows: it
        takes the gradient that it is given. The batches are those of above.
        """,
        r"""
        ## torch 的简洁实现

        `BCEWithLogitsLoss` 接受得分，梯度由自动求导得到，`SGD` 负责更新。`SGD` 并不挑选样本：给它什么梯度，它就用什么梯度。小批量与上面相同。
        """,
    )
    return


@app.cell
def _(X, batch_size, mo, passes, rate, shuffled, theta_0, torch, y):
    linear = torch.nn.Linear(2, 1, bias=False, dtype=torch.float64)
    with torch.no_grad():
        linear.weight.copy_(theta_0)
    loss = torch.nn.BCEWithLogitsLoss()
    optimizer = torch.optim.SGD(linear.parameters(), lr=rate)

    batches = shuffled(batch_size.value)
    for _ in range(passes.value):
        for rows in batches():
            optimizer.zero_grad()
            loss(linear(X[rows]).squeeze(1), y[rows]).backward()
            optimizer.step()
    mo.show_code(linear.weight.detach(), position="above")
    return (linear,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## With onelayer

        `GradientDescent` is batch gradient descent; `SGD` is stochastic with `batch_size=1` and mini-batch otherwise.
        """,
        r"""
        ## 用 onelayer

        `GradientDescent` 是批量梯度下降；`SGD` 在 `batch_size=1` 时是随机梯度下降，否则是小批量梯度下降。
        """,
    )
    return


@app.cell
def _(X, mo, ol, passes, rate, theta_0, y):
    import warnings

    def fitted(solver):
        model = ol.LogisticRegression(C=float("inf"), fit_intercept=False, solver=solver)
        model.set_params(init=([theta_0.tolist()], [0.0]), tol=0, random_state=0)
        with warnings.catch_warnings():
            # A learning rate that is too large is told below, not in a warning.
            warnings.simplefilter("ignore")
            return model.fit(X, y)

    batch_model = fitted(ol.solvers.GradientDescent(rate, steps=passes.value))
    stochastic_model = fitted(ol.solvers.SGD(rate, batch_size=1, epochs=passes.value))
    mo.show_code(stochastic_model.coef_, position="above")
    return batch_model, fitted, stochastic_model, warnings


@app.cell
def _(batch_size, fitted, mo, ol, passes, rate):
    mini_batch = ol.solvers.SGD(rate, batch_size.value, epochs=passes.value)
    mini_batch_model = fitted(mini_batch)
    mo.show_code(mini_batch_model.coef_, position="above")
    return (mini_batch_model,)


@app.cell(hide_code=True)
def _(
    J,
    batch_model,
    batch_path,
    linear,
    mini_batch_model,
    mini_batch_path,
    say,
    stochastic_model,
    stochastic_path,
):
    kinds = [
        (("batch", "批量"), batch_path, batch_model),
        (("stochastic", "随机"), stochastic_path, stochastic_model),
        (("mini-batch", "小批量"), mini_batch_path, mini_batch_model),
    ]
    distances = [(model.coef_ - path[-1]).abs().max().item() for _, path, model in kinds]
    distance_of_torch = (linear.weight - mini_batch_path[-1]).abs().max().item()
    say.table(
        [
            ("", ""),
            ("updates", "更新次数"),
            ("J by hand", "手写的 J"),
            ("J of onelayer", "onelayer 的 J"),
            ("largest difference of θ: onelayer", "θ 的最大差：onelayer"),
            ("torch", "torch"),
        ],
        [
            [name, len(path) - 1, J(path[-1]), model.result_.objective, distance, "–"]
            if name[0] != "mini-batch"
            else [
                name,
                len(path) - 1,
                J(path[-1]),
                model.result_.objective,
                distance,
                distance_of_torch,
            ]
            for (name, path, model), distance in zip(kinds, distances, strict=True)
        ],
    )
    return distance_of_torch, distances, kinds


@app.cell(hide_code=True)
def _(kinds, mo, say):
    mo.vstack(
        [
            mo.callout(
                mo.md(
                    f"**{say.text(*name)}** · {model.result_.message.split(';')[0].rstrip('.')}."
                ),
                kind="info" if model.result_.status.is_success else "warn",
            )
            for name, _, model in kinds
        ]
    )
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Three ways through the valley

        With the same learning rate and the same number of passes, batch gradient descent makes few and smooth steps,
        stochastic gradient descent many that scatter, mini-batches lie between. The curves show how far J is above its
        minimum after each pass. The stochastic one falls first and then stays at a height of its own: its steps go on
        scattering, unless the learning rate is lowered.
        """,
        r"""
        ## 穿过山谷的三条路

        学习率相同、轮数相同时，批量梯度下降步数少而平稳，随机梯度下降步数多而散乱，小批量介于两者之间。曲线表示每一轮之后 J 比最小值高多少。随机梯度下降先降得快，然后停在自己的高度上：只要不降低学习率，它的步子就一直散乱。
        """,
    )
    return


@app.cell
def _(X, batch_path, mini_batch_model, mini_batch_path, mo, ol, stochastic_path, y):
    paths = [stochastic_path, mini_batch_path, batch_path]
    names_of_paths = ["stochastic", "mini-batch", "batch"]
    options = {"limits": ((-3.5, 4.5), (-3.5, 4.5)), "names": ("θ₁", "θ₂")}
    surface = ol.plots.LossSurfaceDisplay.from_estimator(
        mini_batch_model, X, y, paths, path_names=names_of_paths, **options
    ).plot()
    mo.show_code(surface.figure_, position="above")
    return names_of_paths, surface


@app.cell
def _(
    Figure, X, batch_model, mini_batch_model, mo, names_of_paths, ol, stochastic_model, y
):
    best = ol.LogisticRegression(C=float("inf"), fit_intercept=False, tol=0).fit(X, y)
    lowest = best.result_.objective
    curves = Figure(figsize=(5.4, 3.2), layout="constrained")
    panel = curves.add_subplot(
        xlabel="passes over the data", ylabel="J − lowest J", yscale="log"
    )
    runs = (stochastic_model, mini_batch_model, batch_model)
    for model, style in zip(runs, ("o-", "s--", "D-."), strict=True):
        above = [record.objective - lowest for record in model.result_.trace]
        panel.plot(above, style, color=f"C{len(panel.lines)}", markersize=3.5)
    curves.legend(panel.lines, names_of_paths, loc="outside upper center", ncols=3)
    mo.show_code(curves, position="above")
    return curves, lowest


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## When to stop

        There are three usual rules: after so many iterations; when one iteration changes the loss by only a small part of its
        value; when every entry of the gradient is small. They combine with “or”: the first that is fulfilled stops.

        Try a learning rate of 0.0001. The loss hardly changes from step to step, so the second rule stops at once, far from
        the minimum: it says that the walk is slow, not that it has arrived. The gradient says more.
        """,
        r"""
        ## 什么时候停

        常用的停止条件有三种：迭代到一定次数；一次迭代对损失的改变只占它的一小部分；梯度的每个分量都很小。它们用“或”组合：先满足的那一条使迭代停止。

        把学习率改成 0.0001 试试。损失每一步几乎不变，所以第二条马上就停了，离最小值还很远：它只说明走得慢，不说明走到了。梯度能说明的更多。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    _small = [0.1, 1e-2, 1e-3, 1e-4, 1e-5, 1e-6, 1e-8]
    limit = mo.ui.slider(
        steps=[10, 30, 100, 300, 1000],
        value=1000,
        label="iterations · 迭代次数 ≤",
        show_value=True,
    )
    small_change = mo.ui.slider(
        steps=_small[::-1],
        value=1e-5,
        label="change of the loss · 损失的变化 ≤",
        show_value=True,
    )
    small_gradient = mo.ui.slider(
        steps=_small[::-1],
        value=1e-3,
        label="size of the gradient · 梯度的大小 ≤",
        show_value=True,
    )
    mo.vstack([limit, small_change, small_gradient])
    return limit, small_change, small_gradient


@app.cell
def _(J, everything, gradient, limit, mo, rate, small_change, small_gradient, theta_0):
    here, values, change = theta_0, [J(theta_0)], float("inf")
    fired = None
    while fired is None:
        uphill = gradient(here, everything)
        if len(values) > limit.value:
            fired = "iterations"
        elif change <= small_change.value * values[-1]:
            fired = "change"
        elif uphill.abs().max() <= small_gradient.value:
            fired = "gradient"
        else:
            here = here - rate * uphill
            values.append(J(here))
            change = abs(values[-2] - values[-1])
    mo.show_code(f"{fired} after {len(values) - 1}: J = {values[-1]:.6f}", position="above")
    return fired, values


@app.cell
def _(fitted, limit, mo, ol, rate, small_change, small_gradient):
    rule = (
        ol.stopping.MaxIterations(limit.value)
        | ol.stopping.ObjectiveChange(small_change.value)
        | ol.stopping.GradientNorm(small_gradient.value)
    )
    stopped = fitted(ol.solvers.GradientDescent(rate, steps=10_000, stop=rule))
    mo.show_code(stopped.result_.message.split(";")[0], position="above")
    return (stopped,)


@app.cell(hide_code=True)
def _(fired, lowest, say, stopped, values):
    _names = {
        "iterations": ("number of iterations", "迭代次数"),
        "change": ("change of the loss", "损失的变化"),
        "gradient": ("size of the gradient", "梯度的大小"),
    }
    say.table(
        [
            ("", ""),
            ("stopped by", "停止原因"),
            ("iterations", "迭代次数"),
            ("J", "J"),
            ("above the minimum by", "比最小值高"),
        ],
        [
            [
                ("by hand", "手写"),
                _names[fired],
                len(values) - 1,
                values[-1],
                values[-1] - lowest,
            ],
            [
                "onelayer",
                str(stopped.result_.status),
                stopped.n_iter_,
                stopped.result_.objective,
                stopped.result_.objective - lowest,
            ],
        ],
    )
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Too small, right, too large

        Fifty steps from $\theta = 0$ with three learning rates. If it is too small, the last steps still lower the loss; if
        it is too large, steps leap over the valley. onelayer tells the two apart.
        """,
        r"""
        ## 太小、合适、太大

        从 $\theta = 0$ 出发，用三种学习率各走五十步。太小，最后几步仍在降低损失；太大，每一步都跨过山谷。onelayer 能分辨这两种情况。
        """,
    )
    return


@app.cell
def _(Figure, X, mo, ol, warnings, y):
    trials = {}
    rates = Figure(figsize=(5.4, 3), layout="constrained")
    shared = rates.add_subplot(xlabel="steps", ylabel="J", yscale="log")
    for trial_rate, line in ((0.01, ":"), (3, "-"), (30, "--")):
        trial = ol.LogisticRegression(C=float("inf"), fit_intercept=False, tol=0)
        trial.set_params(solver=ol.solvers.GradientDescent(trial_rate, steps=50))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trials[trial_rate] = trial.fit(X, y).result_
        losses = [record.objective for record in trials[trial_rate].trace]
        shared.plot(losses, line, label=f"η = {trial_rate:g}")
    rates.legend(loc="outside upper center", ncols=3, frameon=False)
    mo.show_code(rates, position="above")
    return rates, trials


@app.cell(hide_code=True)
def _(mo, trials):
    mo.vstack(
        [
            mo.callout(
                mo.md(f"$\\eta$ = {key:g}: {result.message.split(';')[0]}."),
                kind="success"
                if result.status == "finished" and "(" not in result.message
                else "warn",
            )
            for key, result in trials.items()
        ]
    )
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Where one starts

        Cross-entropy with a linear score is **convex**: it has one valley. Four starts in the four corners, one end.
        """,
        r"""
        ## 从哪里出发

        线性得分加交叉熵是**凸**函数，只有一个谷。四个起点在四个角上，终点只有一个。
        """,
    )
    return


@app.cell
def _(X, mo, ol, torch, y):
    ends_of_corners = []
    for corner in ([-3.0, -3.0], [-3.0, 4.0], [4.0, -3.0], [4.0, 4.0]):
        walker = ol.LogisticRegression(C=float("inf"), fit_intercept=False, tol=0)
        walker.set_params(init=([corner], [0.0]))
        walker.set_params(solver=ol.solvers.GradientDescent(3, steps=100)).fit(X, y)
        ends_of_corners.append(walker.coef_[0])
    mo.show_code(torch.stack(ends_of_corners), position="above")
    return (ends_of_corners,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        That is not so for all functions. This one has two valleys, and the left one is deeper:

        $$f(a, b) = (a^2 - 1)^2 + 0.3\,a + b^2 .$$

        A gradient knows only the slope under its feet. From $a > 0.08$ it leads to the right valley, a **local minimum**.
        Move the start.
        """,
        r"""
        并非所有函数都这样。下面这个函数有两个谷，左边的更深：

        $$f(a, b) = (a^2 - 1)^2 + 0.3\,a + b^2 .$$

        梯度只知道脚下的坡度。从 $a > 0.08$ 出发，它会走进右边的谷，那是一个**局部最小值**。请移动起点。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    start_a = mo.ui.slider(
        -1.8, 1.8, step=0.1, value=0.3, label="start · 起点 $a$", show_value=True
    )
    start_a
    return (start_a,)


@app.cell
def _(mo, ol, start_a, torch):
    def f(a, b):
        return (a**2 - 1) ** 2 + 0.3 * a + b**2

    def descend(a, b, rate=0.05, steps=100):
        place = torch.tensor([a, b], dtype=torch.float64, requires_grad=True)
        path = [place.detach().clone()]
        for _ in range(steps):
            (slope,) = torch.autograd.grad(f(*place), place)
            with torch.no_grad():
                place -= rate * slope
            path.append(place.detach().clone())
        return torch.stack(path)

    ways = [descend(start_a.value, 1.2), descend(-1.7, -1.0), descend(-0.1, -1.2)]
    ends = [(path[-1].tolist(), f(*path[-1]).item()) for path in ways]
    valleys = ol.plots.LossSurfaceDisplay.from_function(
        f, ((-1.9, 1.9), (-1.5, 1.5)), ways, names=("a", "b"), value_name="f"
    ).plot(kind="both")
    mo.show_code(valleys.figure_, position="above")
    return ends, valleys


@app.cell(hide_code=True)
def _(ends, say):
    say.table(
        [("path", "路径"), ("a", "a"), ("b", "b"), ("f", "f")],
        [
            [str(number), *place, value]
            for number, (place, value) in enumerate(ends, start=1)
        ],
    )
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## A local minimum in a real loss

        Squared error on the probability, $(h - y)^2$, is not convex. To the 200 samples we add 50 that lie ten times as far
        out and contradict them. Cross-entropy still has one minimum. Squared error has more: a probability that is wrong and
        saturated costs 1 and has no slope, so a start that follows the near samples never hears of the far ones.

        The way out is to start several times and to keep the best end: `n_init`.
        """,
        r"""
        ## 真实损失函数中的局部最小值

        概率上的平方误差 $(h - y)^2$ 不是凸函数。在 200 个样本之外，再加 50 个：它们远十倍，标签与前者矛盾。交叉熵仍然只有一个最小值。平方误差却不止一个：错误而又饱和的概率代价是 1，坡度却是零，所以一旦起点顺从了近处的样本，就再也听不到远处样本的声音。

        办法是从几个起点出发，保留最好的结果：`n_init`。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    n_init = mo.ui.slider(1, 8, value=4, label="starts · 起点个数", show_value=True)
    n_init
    return (n_init,)


@app.cell
def _(X, mo, ol, torch, truth, y):
    far_generator = torch.Generator().manual_seed(1)
    far = 10 * torch.randn(50, 2, generator=far_generator, dtype=torch.float64)
    X_all = torch.cat([X, far])
    y_all = torch.cat([y, (far @ truth < 0).double()])

    def from_starts(loss, n_init):
        model = ol.LogisticRegression(C=float("inf"), fit_intercept=False, loss=loss)
        # No learning rate is given: each step is halved until it lowers the loss.
        solver = ol.solvers.GradientDescent(stop=ol.stopping.GradientNorm(1e-4))
        model.set_params(solver=solver, tol=0, init=2.0, n_init=n_init, random_state=4)
        return model.fit(X_all, y_all)

    ends_of_cross_entropy = from_starts("log", 3).result_.starts
    mo.show_code(str(ends_of_cross_entropy), position="above")
    return X_all, ends_of_cross_entropy, from_starts, y_all


@app.cell
def _(from_starts, mo, n_init):
    several = from_starts("probability-squared", n_init.value)
    mo.show_code(str(several.result_.starts), position="above")
    return (several,)


@app.cell(hide_code=True)
def _(mo, several):
    mo.callout(mo.md(several.result_.message), kind="info")
    return


@app.cell
def _(X_all, mo, ol, several, y_all):
    two_ways = []
    for first in ([3.0, -1.0], [-2.0, 2.0]):
        way = ol.callbacks.Iterates()
        one = ol.LogisticRegression(**several.get_params(deep=False)).set_callbacks(way)
        one.set_params(init=([first], [0.0]), n_init=1).fit(X_all, y_all)
        two_ways.append(way)
    basins = ol.plots.LossSurfaceDisplay.from_estimator(
        several, X_all, y_all, two_ways, limits=((-3.5, 4), (-3, 3)), names=("θ₁", "θ₂")
    ).plot(kind="both")
    mo.show_code(basins.figure_, position="above")
    return basins, two_ways


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Exercise

        Write one pass of mini-batch gradient descent on J. `batches` is a list of tensors of row numbers, such as
        `[tensor([2, 0]), tensor([1])]`, and $\theta$ is updated after each of them. Return the last $\theta$.
        """,
        r"""
        ## 练习

        请写出小批量梯度下降的一轮，目标是 J。`batches` 是由样本编号张量组成的列表，例如 `[tensor([2, 0]), tensor([1])]`，每处理完一个就更新一次 $\theta$。返回最后的 $\theta$。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo, torch):
    from onelayer.lessons import CodeExercise

    def _pass(slope, sign=-1, rate_counts=True, at_start=False):
        """Return a pass whose updates use `slope(theta, X, y, rows)`."""

        def one_pass(theta, X, y, rate, batches):
            first = theta
            for rows in batches:
                step = slope(first if at_start else theta, X, y, rows)
                theta = theta + sign * (rate if rate_counts else 1) * step
            return theta

        return one_pass

    def _error(theta, X, y, rows):
        return torch.sigmoid(X[rows] @ theta) - y[rows]

    def _sum(theta, X, y, rows):
        return X[rows].T @ _error(theta, X, y, rows)

    def _mean(theta, X, y, rows):
        return _sum(theta, X, y, rows) / len(rows)

    def _all_rows(theta, X, y, rows):
        return _mean(theta, X, y, torch.arange(len(X)))

    def _over_all(theta, X, y, rows):
        return _sum(theta, X, y, rows) / len(X)

    def _squared(theta, X, y, rows):
        h = torch.sigmoid(X[rows] @ theta)
        return X[rows].T @ ((h - y[rows]) * h * (1 - h)) / len(rows)

    exercise = CodeExercise(
        "one_pass",
        _pass(_mean),
        [
            (
                torch.tensor([0.5, -1.0]),
                torch.tensor([[1.0, 2.0], [-1.0, 0.5], [3.0, -1.0]]),
                torch.tensor([1.0, 0.0, 0.0]),
                0.5,
                [torch.tensor([2, 0]), torch.tensor([1])],
            )
        ],
        [
            (
                _pass(_mean, sign=1),
                "That walks uphill: the gradient points where J grows, so subtract it.",
                "这是在上坡：梯度指向 J 增大的方向，所以要减去它。",
            ),
            (
                _pass(_sum),
                "That is the sum over the batch. J is a mean: divide by the number of rows of the batch.",
                "这是对小批量求和。J 是平均值：要除以小批量的样本数。",
            ),
            (
                _pass(_over_all),
                "Divide by the number of rows of the batch, not by that of all rows.",
                "应除以小批量的样本数，而不是全部样本数。",
            ),
            (
                _pass(_all_rows),
                "Every update looks at all rows: use X[rows] and y[rows] only.",
                "每次更新都看了全部样本：只应使用 X[rows] 和 y[rows]。",
            ),
            (
                _pass(_mean, at_start=True),
                "All gradients are taken at the first θ: after each batch go on from the new one.",
                "所有梯度都是在最初的 θ 处算的：每个小批量之后要从新的 θ 继续。",
            ),
            (
                _pass(_mean, rate_counts=False),
                "The learning rate is missing: it multiplies the gradient.",
                "缺少学习率：要用它乘以梯度。",
            ),
            (
                _pass(_squared),
                "The factor h(1 − h) belongs to squared error. In cross-entropy it cancels.",
                "因子 h(1 − h) 属于平方误差，在交叉熵中它被消去了。",
            ),
        ],
        start=(
            "def one_pass(theta, X, y, rate, batches):\n"
            "    for rows in batches:\n"
            "        h = ...\n"
            "        theta = ...\n"
            "    return theta\n"
        ),
    )
    answer = mo.ui.code_editor(exercise.start, language="python", min_height=130)
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
        Gradient descent is a way, not the goal. Where a loss is convex the goal is one point, whatever the way: the lesson
        *Linear regression by hand* compares the way with the exact answer.
        """,
        r"""
        梯度下降是路，不是目的地。损失函数是凸函数时，目的地只有一个，与走哪条路无关：《手写线性回归》一课把这条路与精确解作比较。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
