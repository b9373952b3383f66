import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Linear regression by hand")


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
        # Linear regression by hand

        A hundred points lie near a line. How does one find the line, and what does “nearest” mean?

        The model is $f(x) = wx + b$. Each point has a vertical distance to the line, $f(x_i) - y_i$, and the loss is
        half the mean of the squared distances:

        $$J(w, b) = \frac{1}{n} \sum_{i=1}^{n} \tfrac12 \big(f(x_i) - y_i\big)^2 .$$

        Its gradient says how to turn the two knobs, and $\eta$ is the learning rate:

        $$\frac{\partial J}{\partial w} = \frac{1}{n} \sum_i \big(f(x_i) - y_i\big)\, x_i, \qquad
        \frac{\partial J}{\partial b} = \frac{1}{n} \sum_i \big(f(x_i) - y_i\big), \qquad
        w \leftarrow w - \eta\, \frac{\partial J}{\partial w}, \quad b \leftarrow b - \eta\, \frac{\partial J}{\partial b} .$$

        Many texts write the loss as $(y - f(x))^2$, without the half. Its gradient is twice as long, its lowest point is the
        same, and half the learning rate makes the same steps.
        """,
        r"""
        # 手写线性回归

        一百个点散布在一条直线附近。怎样找到这条直线？“最近”又是什么意思？

        模型是 $f(x) = wx + b$。每个点到直线有一个竖直方向的距离 $f(x_i) - y_i$，损失函数是距离平方的平均值的一半：

        $$J(w, b) = \frac{1}{n} \sum_{i=1}^{n} \tfrac12 \big(f(x_i) - y_i\big)^2 .$$

        它的梯度说明怎样转动这两个旋钮，$\eta$ 是学习率：

        $$\frac{\partial J}{\partial w} = \frac{1}{n} \sum_i \big(f(x_i) - y_i\big)\, x_i, \qquad
        \frac{\partial J}{\partial b} = \frac{1}{n} \sum_i \big(f(x_i) - y_i\big), \qquad
        w \leftarrow w - \eta\, \frac{\partial J}{\partial w}, \quad b \leftarrow b - \eta\, \frac{\partial J}{\partial b} .$$

        许多资料把损失写成 $(y - f(x))^2$，没有二分之一。那样梯度长一倍，最低点不变；学习率减半，每一步就完全相同。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    learning_rate = mo.ui.slider(
        steps=[0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 1],
        value=0.1,
        label="learning rate · 学习率 $\\eta$",
        show_value=True,
    )
    steps = mo.ui.slider(
        steps=[10, 20, 50, 100, 200, 500, 1000],
        value=200,
        label="steps · 步数",
        show_value=True,
    )
    first_w = mo.ui.slider(
        -4,
        6,
        step=0.5,
        value=-1,
        label="start · 初始值 $w$",
        show_value=True,
        debounce=True,
    )
    first_b = mo.ui.slider(
        -4,
        8,
        step=0.5,
        value=6,
        label="start · 初始值 $b$",
        show_value=True,
        debounce=True,
    )
    mo.vstack(
        [
            mo.hstack([learning_rate, steps], justify="start", gap=2),
            mo.hstack([first_w, first_b], justify="start", gap=2),
        ]
    )
    return first_b, first_w, learning_rate, steps


@app.cell(hide_code=True)
def _(mo, steps):
    step = mo.ui.slider(
        0,
        steps.value,
        value=min(5, steps.value),
        label="the line after so many steps · 走了多少步之后的直线",
        show_value=True,
        full_width=True,
    )
    step
    return (step,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## A hundred points

        They are drawn from $y = 2x + 1$ plus noise. Drag some of them: the line follows, it is fitted again after every move.
        Move the slider above to see the line on its way.
        """,
        r"""
        ## 一百个点

        它们取自 $y = 2x + 1$ 加上噪声。拖动其中几个：每移动一次都会重新拟合，直线随之而动。移动上面的滑块，可以看到直线一路走来的样子。
        """,
    )
    return


@app.cell
def _(mo):
    import torch
    from matplotlib.figure import Figure

    from onelayer.lessons.points import DraggablePoints

    generator = torch.Generator().manual_seed(0)
    first_x = 4 * torch.rand(100, generator=generator)
    noise = 0.8 * torch.randn(100, generator=generator)
    cloud = torch.stack([first_x, 2 * first_x + 1 + noise], dim=1).tolist()
    mo.show_code(cloud[:3], position="above")
    return DraggablePoints, Figure, cloud, torch


@app.cell
def _(DraggablePoints, cloud, mo):
    dots = mo.ui.anywidget(DraggablePoints(cloud, x_range=[0, 4], y_range=[-3, 13]))
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
        dots.value["points"], {"x": (0, 4), "y": (-3, 13)}, least=2
    )
    mo.stop(_problem is not None, _problem and say.problem(*_problem))
    x, y = torch.tensor(_points, dtype=torch.float64).T
    mo.stop(
        x.std() < 1e-6,
        say.problem(
            "All points have the same x, so every slope fits as well: move one of them aside.",
            "所有点的 x 都相同，任何斜率都一样好：请把其中一个移开。",
        ),
    )
    return x, y


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## From raw tensors

        No `nn`, no autograd: the two derivatives are written out, and `path` keeps where each step led.
        """,
        r"""
        ## 从张量开始手写

        不用 `nn`，也不用自动求导：两个偏导数直接写出来，`path` 记下每一步走到了哪里。
        """,
    )
    return


@app.cell
def _(first_b, first_w, learning_rate, mo, steps, torch, x, y):
    w = torch.tensor(first_w.value, dtype=torch.float64)
    b = torch.tensor(first_b.value, dtype=torch.float64)
    path = [(w.item(), b.item())]
    for _ in range(steps.value):
        error = w * x + b - y
        dw = (error * x).mean()
        db = error.mean()
        w -= learning_rate.value * dw
        b -= learning_rate.value * db
        path.append((w.item(), b.item()))
    mo.show_code({"w": w.item(), "b": b.item()}, position="above")
    return b, path, w


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        Below is the line after the step chosen above. The loss has a meaning that one can see: it is made of the short
        vertical segments, each of them squared.
        """,
        r"""
        下面是走到上面所选步数时的直线。损失函数的意义看得见：它由这些竖直的短线段构成，每条的长度取平方。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo, path, say, step):
    w_now, b_now = path[step.value]
    # Written so that NaN stops as well.
    mo.stop(
        not abs(w_now) + abs(b_now) < 1e6,
        say.problem(
            f"After {step.value} steps the line has left every picture: w = {w_now:.3g}, b = {b_now:.3g}. Take a "
            "smaller learning rate, or look at an earlier step.",
            f"走了 {step.value} 步之后，直线已经跑出了图外：w = {w_now:.3g}，b = {b_now:.3g}。请减小学习率，或者看更早的一步。",
        ),
    )
    return b_now, w_now


@app.cell
def _(Figure, b_now, dots, mo, torch, w_now, x, y):
    on_the_line = w_now * x + b_now
    loss_now = 0.5 * (on_the_line - y).square().mean().item()

    picture = Figure(figsize=(5.4, 3.8), layout="constrained")
    axes = picture.add_subplot(xlabel="x", ylabel="y", xlim=(-0.1, 4.1), ylim=(-3, 13))
    axes.vlines(x, y, on_the_line, color="0.55", linewidth=0.8)
    axes.plot(x, y, "o", markersize=3.5, color="#0072B2")
    ends = torch.tensor([0.0, 4.0])
    axes.plot(ends, w_now * ends + b_now, color="#D55E00", linewidth=2)
    axes.set_title(
        f"y = {w_now:.3g} x + {b_now:.3g}, J = {loss_now:.4g}", fontsize="medium"
    )
    dots.curve = [[0, b_now], [4, 4 * w_now + b_now]]
    mo.show_code(picture, position="above")
    return loss_now, on_the_line, picture


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## torch's short form

        `Linear` holds w and b, autograd finds the gradient, `SGD` makes the step; on all points at once it is plain gradient
        descent. `MSELoss` is the mean of the squares without the half: twice our loss, so the learning rate is halved.
        """,
        r"""
        ## torch 的简洁实现

        `Linear` 保存 w 和 b，梯度由自动求导得到，`SGD` 负责更新；一次用上所有的点，它就是普通的梯度下降。`MSELoss` 是平方的平均值，没有二分之一：它是我们的损失的两倍，所以学习率减半。
        """,
    )
    return


@app.cell
def _(first_b, first_w, learning_rate, mo, steps, torch, x, y):
    line = torch.nn.Linear(1, 1, dtype=torch.float64)
    with torch.no_grad():
        line.weight.fill_(first_w.value)
        line.bias.fill_(first_b.value)
    mean_squared_error = torch.nn.MSELoss()
    trainer = torch.optim.SGD(line.parameters(), lr=learning_rate.value / 2)
    for _ in range(steps.value):
        trainer.zero_grad()
        mean_squared_error(line(x.unsqueeze(1)).squeeze(1), y).backward()
        trainer.step()
    mo.show_code({"w": line.weight.item(), "b": line.bias.item()}, position="above")
    return (line,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## With onelayer

        The same steps with `GradientDescent`. Without a solver, `LinearRegression` goes to the lowest point itself and proves
        that it is there: the certified gap bounds how much lower any other line could be.
        """,
        r"""
        ## 用 onelayer

        `GradientDescent` 走同样的步子。不指定求解器时，`LinearRegression` 直接到达最低点，并且证明自己到了：其它任何直线的损失最多还能低多少，由给出的界来保证。
        """,
    )
    return


@app.cell
def _(first_b, first_w, learning_rate, mo, steps, x, y):
    import warnings

    import onelayer as ol

    X = x.unsqueeze(1)
    walk = ol.callbacks.Iterates()
    descent = ol.solvers.GradientDescent(learning_rate.value, steps=steps.value)
    start = ([[first_w.value]], [first_b.value])
    model = ol.LinearRegression(solver=descent, init=start, tol=0).set_callbacks(walk)
    with warnings.catch_warnings():
        # A learning rate that is too large is told below, not in a warning.
        warnings.simplefilter("ignore")
        model.fit(X, y)
    exact = ol.LinearRegression().fit(X, y)
    best = {"w": exact.coef_.item(), "b": exact.intercept_.item()}
    mo.show_code(best, position="above")
    return X, exact, model, ol, walk, warnings


@app.cell(hide_code=True)
def _(mo, model):
    mo.callout(
        mo.md(model.result_.message),
        kind="success" if model.result_.status.is_success else "warn",
    )
    return


@app.cell(hide_code=True)
def _(b, exact, line, model, say, torch, w, x, y):
    def _row(name, w, b):
        w, b = (torch.as_tensor(value, dtype=torch.float64).item() for value in (w, b))
        return [name, w, b, 0.5 * (w * x + b - y).square().mean().item()]

    answers = [
        _row(("by hand", "手写"), w, b),
        _row("torch", line.weight.squeeze().detach(), line.bias.squeeze().detach()),
        _row("onelayer", model.coef_[0], model.intercept_),
        _row(("onelayer, exact", "onelayer，精确解"), exact.coef_[0], exact.intercept_),
    ]
    say.table([("", ""), ("w", "w"), ("b", "b"), ("loss J", "损失 J")], answers)
    return (answers,)


@app.cell(hide_code=True)
def _(model, say):
    say(
        "Three ways, one line; more steps bring them to the exact one."
        if model.result_.status.is_success
        else "Here the steps lead away from the line, and onelayer gives back the best point that it has seen.",
        "三种写法，同一条直线；步数越多，越接近精确解。"
        if model.result_.status.is_success
        else "这里每一步都离直线更远；onelayer 返回的是途中见过的最好的一点。",
    )
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## The way down

        The loss after each step, and the loss as a landscape over w and b with the way through it. The landscape is a long
        valley: across it the steps are large, along it they are small. That is why w and b find a good line soon and the
        best one late.
        """,
        r"""
        ## 下山的路

        先看每一步之后的损失，再把损失画成随 w 和 b 起伏的地形，并画出走过的路。地形是一条狭长的山谷：横着走步子大，顺着走步子小。所以 w 和 b 很快找到一条不错的直线，要很久才找到最好的那条。
        """,
    )
    return


@app.cell
def _(Figure, mo, model, ol):
    # A run that diverges soon has losses that no picture can hold.
    seen = [record for record in model.result_.trace if record.objective < 1e4]
    curve = ol.plots.LearningCurveDisplay(
        [record.iteration for record in seen],
        [record.objective for record in seen],
        x_name="iteration",
    )
    curve.plot(Figure(figsize=(5.4, 2.8), layout="constrained").add_subplot())
    mo.show_code(curve.figure_, position="above")
    return (curve,)


@app.cell
def _(X, mo, model, ol, walk, y):
    way = walk.parameters[walk.objectives < 1e4]
    surface = ol.plots.LossSurfaceDisplay.from_estimator(
        model, X, y, [way], limits=((-4.5, 6.5), (-4.5, 8.5)), names=("w", "b")
    ).plot(kind="both")
    mo.show_code(surface.figure_, position="above")
    return (surface,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## How large may a step be?

        The curvature of the loss is a matrix, $H = \frac1n \sum_i (x_i, 1)(x_i, 1)^\top$. Along the direction in which it is
        largest, a step multiplies the distance from the valley by $1 - \eta \lambda_{\max}$. If $\eta$ exceeds
        $2/\lambda_{\max}$, that factor is below −1: every step lands higher on the other side.
        """,
        r"""
        ## 一步可以走多大？

        损失的曲率是一个矩阵，$H = \frac1n \sum_i (x_i, 1)(x_i, 1)^\top$。在曲率最大的方向上，每走一步，到谷底的距离就乘以 $1 - \eta \lambda_{\max}$。如果 $\eta$ 超过 $2/\lambda_{\max}$，这个因子小于 −1：每一步都落在对面更高的地方。
        """,
    )
    return


@app.cell
def _(mo, ol, torch, warnings, x, y):
    rows = torch.stack([x, torch.ones_like(x)], dim=1)
    curvature = rows.T @ rows / len(x)
    limit = 2 / torch.linalg.eigvalsh(curvature)[-1].item()

    messages = []
    for share in (0.9, 1.1):
        solver = ol.solvers.GradientDescent(share * limit, steps=100)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            trial = ol.LinearRegression(solver=solver, tol=0).fit(x.unsqueeze(1), y)
        messages.append(trial.result_.message)
    mo.show_code(limit, position="above")
    return limit, messages


@app.cell(hide_code=True)
def _(limit, messages, mo):
    mo.vstack(
        [
            mo.callout(mo.md(f"$\\eta$ = {share:g} × {limit:.4g}: {message}"), kind=kind)
            for share, message, kind in zip(
                (0.9, 1.1), messages, ("success", "warn"), strict=True
            )
        ]
    )
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Exercise

        Take the loss without the half, $L = \frac1n \sum_i (y_i - f(x_i))^2$. Write $\partial L / \partial w$ for tensors
        `x` and `y` and numbers `w` and `b`.
        """,
        r"""
        ## 练习

        取没有二分之一的损失，$L = \frac1n \sum_i (y_i - f(x_i))^2$。请写出 $\partial L / \partial w$，其中 `x` 和 `y` 是张量，`w` 和 `b` 是数。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo, torch):
    from onelayer.lessons import CodeExercise

    def _error(x, y, w, b):
        return w * x + b - y

    exercise = CodeExercise(
        "derivative_by_w",
        lambda x, y, w, b: 2 * (_error(x, y, w, b) * x).mean(),
        [(torch.tensor([0.5, 2.0, 3.0]), torch.tensor([1.0, 4.5, 8.0]), 1.5, -0.5)],
        [
            (
                lambda x, y, w, b: (_error(x, y, w, b) * x).mean(),
                "That is the derivative of ½(y − f)². Here the square is not halved: a factor of 2 comes down.",
                "这是 ½(y − f)² 的导数。这里的平方没有减半：求导会多出因子 2。",
            ),
            (
                lambda x, y, w, b: 2 * (_error(x, y, w, b) * x).sum(),
                "That is the sum over the points. The loss is their mean: divide by n.",
                "这是对所有点求和。损失是平均值：还要除以 n。",
            ),
            (
                lambda x, y, w, b: -2 * (_error(x, y, w, b) * x).mean(),
                "The sign is wrong: the derivative of y − f by w is −x, so the error is f − y.",
                "符号错了：y − f 对 w 的导数是 −x，所以误差应写成 f − y。",
            ),
            (
                lambda x, y, w, b: 2 * _error(x, y, w, b).mean(),
                "That is the derivative by b. For w the chain rule multiplies each error by its x.",
                "这是对 b 的导数。对 w 求导时，链式法则要把每个误差乘以对应的 x。",
            ),
            (
                lambda x, y, w, b: 2 * _error(x, y, w, b).mean() * x.mean(),
                "The mean of products is not the product of means: multiply by x first, then take the mean.",
                "乘积的平均不等于平均的乘积：先乘以 x，再取平均。",
            ),
            (
                lambda x, y, w, b: 2 * _error(x, y, w, b) * x,
                "That is one number for each point. Their mean is wanted.",
                "这是每个点各一个数。要的是它们的平均值。",
            ),
        ],
        start="def derivative_by_w(x, y, w, b):\n    error = ...\n    return ...\n",
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
        A line has two knobs and one answer, and gradient descent is a slow way to it. With ten classes and 784 pixels it has
        7,850 knobs, and the step stays the same: the lesson *Softmax regression on images* takes it there.
        """,
        r"""
        直线只有两个旋钮和一个答案，梯度下降是一条慢路。有十个类别、784 个像素时，旋钮有 7850 个，而每一步的写法不变：请看《图像上的 softmax 回归》一课。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
