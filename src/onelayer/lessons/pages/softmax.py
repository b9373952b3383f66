import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Softmax regression on images")


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
        # Softmax regression on images

        A picture shows a shirt, a shoe or a bag. How does one layer of weights turn its pixels into ten probabilities, and
        how are the weights found?

        Every class gets a score, $z = Wx + b$. The softmax turns ten scores into ten positive numbers that sum to one, and
        the loss looks at one of them, the probability of the true class:

        $$\hat y_k = \frac{e^{z_k}}{\sum_j e^{z_j}}, \qquad \ell(y, \hat y) = -\log \hat y_y .$$
        """,
        r"""
        # 图像上的 softmax 回归

        一张图片上是衬衫、鞋子还是包？只有一层权重，怎样把像素变成十个概率？这些权重又是怎么找到的？

        每个类别得到一个得分，$z = Wx + b$。softmax 把十个得分变成十个正数，它们之和为一；损失函数只看其中一个，即真实类别的概率：

        $$\hat y_k = \frac{e^{z_k}}{\sum_j e^{z_j}}, \qquad \ell(y, \hat y) = -\log \hat y_y .$$
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    rows = mo.ui.slider(
        steps=[500, 1000, 2000, 5000, 10000, 20000, 60000],
        value=5000,
        label="rows · 训练样本",
        show_value=True,
    )
    epochs = mo.ui.slider(1, 20, value=5, label="epochs · 轮数", show_value=True)
    learning_rate = mo.ui.slider(
        steps=[0.001, 0.01, 0.03, 0.1, 0.3, 1, 10],
        value=0.1,
        label="learning rate · 学习率",
        show_value=True,
    )
    batch_size = mo.ui.slider(
        steps=[16, 64, 256, 1024],
        value=256,
        label="batch size · 批量大小",
        show_value=True,
    )
    mo.vstack(
        [
            mo.hstack([rows, epochs], justify="start", gap=2),
            mo.hstack([learning_rate, batch_size], justify="start", gap=2),
        ]
    )
    return batch_size, epochs, learning_rate, rows


@app.cell
def _(mo, rows):
    import numpy as np
    import torch

    import onelayer as ol

    try:
        data = ol.data.load("fashion-mnist")
        X_test, y_test = torch.tensor(data.X_test), torch.tensor(data.y_test)
        X, y = torch.tensor(data.X[: rows.value]), torch.tensor(data.y[: rows.value])
    except ol.errors.DataError:
        # No copy of Fashion-MNIST here: the handwritten digits that come with scikit-learn, pixels 0 … 16.
        data = ol.data.load("digits")
        images, labels = (
            torch.tensor(data.X, dtype=torch.float32) / 16,
            torch.tensor(data.y),
        )
        X, y, X_test, y_test = (
            images[:1300][: rows.value],
            labels[:1300][: rows.value],
            images[1300:],
            labels[1300:],
        )
    names = data.class_names
    gallery = ol.plots.PredictionsDisplay.from_predictions(
        X, y, y, image_shape=data.image_shape, class_names=names, which="first", n=12
    ).plot()
    mo.show_code(gallery.figure_, position="above")
    return X, X_test, data, names, np, ol, torch, y, y_test


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Why not regression on the class number?

        A regression on the numbers 0 to 9 would have to believe that class 8 lies between 7 and 9, and that a mistake of two
        classes is worse than a mistake of one. Class numbers are names: they have no distance. This is what comes of it:
        """,
        r"""
        ## 为什么不能对类别编号做回归？

        如果对 0 到 9 做回归，就得相信类别 8 介于类别 7 和类别 9 之间，而且错两类比错一类更严重。类别编号只是名字，没有远近之分。后果如下：
        """,
    )
    return


@app.cell
def _(X, X_test, mo, ol, y, y_test):
    number = ol.LinearRegression(alpha=0.01).fit(X[:1000], y[:1000].float())
    nearest_class = number.predict(X_test).round().clamp(0, 9).long()
    accuracy_of_numbers = (nearest_class == y_test).float().mean().item()
    mo.show_code(accuracy_of_numbers, position="above")
    return (accuracy_of_numbers,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## One-hot, and cross-entropy by picking

        Instead, each class gets a place of its own: a label becomes a vector of zeros with a single one. Cross-entropy
        $-\sum_k y_k \log \hat y_k$ then keeps one term only, so it is enough to pick the probability of the true class.
        """,
        r"""
        ## one-hot 编码，用索引计算交叉熵

        换一种做法：每个类别有自己的位置，标签变成只有一个 1、其余为 0 的向量。这样交叉熵 $-\sum_k y_k \log \hat y_k$ 只剩下一项，所以只要取出真实类别的概率就够了。
        """,
    )
    return


@app.cell
def _(mo, torch):
    two_labels = torch.tensor([0, 2])
    y_hat = torch.tensor([[0.1, 0.3, 0.6], [0.3, 0.2, 0.5]])
    one_hot = torch.nn.functional.one_hot(two_labels, 3)

    picked = y_hat[range(2), two_labels]
    by_sum = -(one_hot * torch.log(y_hat)).sum(dim=1)
    mo.show_code(by_sum, position="above")
    return by_sum, picked, y_hat


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## From nothing

        W from N(0, 0.01²), b = 0, and the gradient by hand: for one row it is $(\hat y - y_{\text{one-hot}})\, x^\top$ (transposed in the code, where rows of X are samples: `X @ W`). Every step
        looks at one mini-batch and moves against its mean gradient.
        """,
        r"""
        ## 从零实现

        W 取自 N(0, 0.01²)，b = 0，梯度手写：对一个样本，它是 $(\hat y - y_{\text{one-hot}})\, x^\top$（代码里 X 的每一行是一个样本，写作 `X @ W`，所以是它的转置）。每一步只看一个小批量，沿它的平均梯度的反方向移动。
        """,
    )
    return


@app.cell
def _(X, batch_size, epochs, learning_rate, mo, np, ol, torch, y):
    def softmax(z):
        # Softmax is blind to a shift of all scores: without the largest one nothing overflows.
        e = torch.exp(z - z.max(dim=1, keepdim=True).values)
        return e / e.sum(dim=1, keepdim=True)

    def cross_entropy(y_hat, y):
        return -torch.log(y_hat[range(len(y_hat)), y])

    # onelayer draws the seed of its batches from random_state in this way.
    seed = int(np.random.RandomState(0).randint(2**31 - 1))
    first_W = torch.normal(
        0, 0.01, size=(X.shape[1], 10), generator=torch.Generator().manual_seed(1)
    )

    W, b = first_W.clone(), torch.zeros(10)
    order = torch.Generator().manual_seed(seed)
    for _ in range(epochs.value):
        for batch in ol.solvers.minibatches(len(X), batch_size.value, order):
            error = softmax(X[batch] @ W + b) - torch.nn.functional.one_hot(y[batch], 10)
            W -= learning_rate.value * X[batch].T @ error / len(batch)
            b -= learning_rate.value * error.mean(dim=0)
    loss_from_nothing = cross_entropy(softmax(X @ W + b), y).mean().item()
    mo.show_code(loss_from_nothing, position="above")
    return W, b, cross_entropy, first_W, loss_from_nothing, seed, softmax


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## torch's short form

        `Linear` holds W and b, `CrossEntropyLoss` takes scores and does softmax, logarithm and mean in one stable step,
        autograd finds the gradient, `SGD` makes the step.
        """,
        r"""
        ## torch 的简洁实现

        `Linear` 保存 W 和 b；`CrossEntropyLoss` 直接接受得分，把 softmax、对数和平均合成数值稳定的一步；梯度由自动求导得到，`SGD` 负责更新。
        """,
    )
    return


@app.cell
def _(X, batch_size, epochs, first_W, learning_rate, mo, ol, seed, torch, y):
    net = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(X.shape[1], 10))
    with torch.no_grad():
        net[1].weight.copy_(first_W.T)
        net[1].bias.zero_()
    loss = torch.nn.CrossEntropyLoss()
    trainer = torch.optim.SGD(net.parameters(), lr=learning_rate.value)

    same_order = torch.Generator().manual_seed(seed)
    for _ in range(epochs.value):
        for rows_of_batch in ol.solvers.minibatches(len(X), batch_size.value, same_order):
            trainer.zero_grad()
            loss(net(X[rows_of_batch]), y[rows_of_batch]).backward()
            trainer.step()
    loss_of_torch = loss(net(X), y).item()
    mo.show_code(loss_of_torch, position="above")
    return loss, loss_of_torch, net


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## With onelayer, and watched

        The same start, the same batches; callbacks watch the accuracies, and the picture grows while the model learns.
        """,
        r"""
        ## 用 onelayer，边训练边看

        起点相同，小批量相同；回调函数记录准确率，曲线随着训练不断生长。
        """,
    )
    return


@app.cell
def _(X, X_test, batch_size, epochs, first_W, learning_rate, mo, ol, torch, y, y_test):
    import warnings

    solver = ol.solvers.SGD(learning_rate.value, batch_size.value, epochs.value)
    model = ol.SoftmaxRegression(
        C=float("inf"),
        solver=solver,
        init=(first_W.T, torch.zeros(10)),
        tol=0,
        random_state=0,
    )
    model.set_callbacks(
        ol.callbacks.Monitor(X, y, "train_accuracy", share=0),
        ol.callbacks.Monitor(X_test, y_test, "test_accuracy", share=0),
        ol.callbacks.LiveCurve(show=mo.output.replace),
    )
    with warnings.catch_warnings():
        # A learning rate that is too large is told below, not in a warning.
        warnings.simplefilter("ignore")
        model.fit(X, y)
    curve = ol.plots.LearningCurveDisplay.from_estimator(model).plot()
    mo.show_code(curve.figure_, position="above")
    return (model,)


@app.cell(hide_code=True)
def _(mo, model):
    mo.callout(
        mo.md(model.result_.message),
        kind="success" if model.result_.status.is_success else "warn",
    )
    return


@app.cell(hide_code=True)
def _(
    W,
    X_test,
    accuracy_of_numbers,
    b,
    loss_from_nothing,
    loss_of_torch,
    model,
    net,
    say,
    torch,
    y_test,
):
    with torch.no_grad():
        accuracies = [
            (X_test @ W + b).argmax(dim=1).eq(y_test).double().mean().item(),
            net(X_test).argmax(dim=1).eq(y_test).double().mean().item(),
            model.score(X_test, y_test),
        ]
        distances = [
            (net[1].weight.T - W).abs().max().item(),
            (model.coef_.T - W).abs().max().item(),
        ]
    say.table(
        [
            ("", ""),
            ("training loss", "训练损失"),
            ("test accuracy", "测试准确率"),
            ("largest difference of a weight", "权重的最大差"),
        ],
        [
            [("from nothing", "从零实现"), loss_from_nothing, accuracies[0], "–"],
            ["torch", loss_of_torch, accuracies[1], distances[0]],
            ["onelayer", model.result_.objective, accuracies[2], distances[1]],
            [("regression on numbers", "对编号做回归"), "–", accuracy_of_numbers, "–"],
        ],
    )
    return accuracies, distances


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## What it learned

        Each class has an image of weights: blue speaks for it, red against it. Below, which classes are taken for which, and
        a gallery: the true label above, the predicted one below it, mistakes marked.
        """,
        r"""
        ## 它学到了什么

        每个类别都有一张权重图：蓝色支持它，红色反对它。下面是混淆矩阵（哪些类别被当成了哪些），以及一组样例：上面是真实标签，下面是预测标签，错误的有标记。
        """,
    )
    return


@app.cell
def _(data, mo, model, names, ol):
    weights = ol.plots.WeightsDisplay.from_estimator(
        model, image_shape=data.image_shape, class_names=names
    ).plot()
    mo.show_code(weights.figure_, position="above")
    return (weights,)


@app.cell(hide_code=True)
def _(mo):
    which = mo.ui.radio(
        {"first · 最前": "first", "wrong · 错误": "wrong", "right · 正确": "right"},
        value="first · 最前",
        inline=True,
    )
    which
    return (which,)


@app.cell
def _(X_test, data, mo, model, names, ol, which, y_test):
    pictures = ol.plots.PredictionsDisplay.from_estimator(
        model,
        X_test,
        y_test,
        image_shape=data.image_shape,
        class_names=names,
        which=which.value,
        n=20,
    ).plot()
    mo.show_code(pictures.figure_, position="above")
    return (pictures,)


@app.cell
def _(X_test, mo, model, names, ol, y_test):
    confusion = ol.plots.ConfusionDisplay.from_estimator(
        model, X_test, y_test, class_names=names
    ).plot()
    mo.show_code(confusion.figure_, position="above")
    return (confusion,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Ten probabilities

        Choose a test picture. The ten probabilities sum to one and the largest one wins; where even the largest is small,
        `predict(X, abstain=0.6)` answers “uncertain” instead.
        """,
        r"""
        ## 十个概率

        请选择一张测试图片。十个概率之和为一，概率最大的类别获胜；如果连最大的概率也很小，`predict(X, abstain=0.6)` 就回答“不确定”。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo):
    picture = mo.ui.slider(0, 199, value=18, label="picture · 图片", show_value=True)
    picture
    return (picture,)


@app.cell
def _(X_test, mo, model, picture):
    one = X_test[picture.value : picture.value + 1]
    probabilities = model.predict_proba(one)[0]
    answer_of_model = model.predict(one, abstain=0.6)[0]
    sum_and_answer = probabilities.sum().item(), answer_of_model
    mo.show_code(sum_and_answer, position="above")
    return answer_of_model, one, probabilities, sum_and_answer


@app.cell(hide_code=True)
def _(answer_of_model, data, mo, names, ol, one, picture, probabilities, say, y_test):
    _label = int(y_test[picture.value])
    _image = ol.plots.PredictionsDisplay.from_predictions(
        one,
        [_label],
        [int(probabilities.argmax())],
        classes=range(10),
        image_shape=data.image_shape,
        class_names=names,
        which="first",
    ).plot()
    _shown = say.table(
        [("class", "类别"), ("probability", "概率")],
        [
            [names[k], round(probabilities[k].item(), 4)]
            for k in probabilities.argsort(descending=True).tolist()
        ],
    )
    _said = (
        say("**uncertain**", "**不确定**")
        if answer_of_model is None
        else say(f"**{names[answer_of_model]}**", f"**{names[answer_of_model]}**")
    )
    mo.hstack(
        [mo.vstack([_said, _image.figure_]), _shown],
        justify="start",
        gap=3,
        widths=[1, 2],
    )
    return


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## How far from the best?

        SGD was asked for a number of epochs; how far it still is from the optimum it cannot know. With a penalty (`C=1`) an
        optimum exists, and onelayer finds it and proves how close it came: `relative_gap` bounds what any other weights could
        still gain. (On the first 500 rows, to keep the page quick.)
        """,
        r"""
        ## 离最优还有多远？

        SGD 只是按要求跑完若干轮，它并不知道自己离最优还有多远。加上惩罚项（`C=1`）后最优解存在，onelayer 能找到它并证明有多接近：`relative_gap` 是任何其他权重还能改进多少的上界。（为了让页面快一些，这里只用前 500 个样本。）
        """,
    )
    return


@app.cell
def _(X, mo, ol, y):
    exact = ol.SoftmaxRegression(C=1.0, tol=1e-3).fit(X[:500], y[:500])
    proof = exact.result_.message, exact.certificate_.relative_gap
    mo.show_code(proof, position="above")
    return exact, proof


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Mistakes that torch does not tell

        `ol.check_head` looks at a model, its loss and the data, and says in sentences what does not fit. Here: a softmax before
        a loss that does a softmax itself, and labels that start at 1.
        """,
        r"""
        ## torch 不会告诉你的错误

        `ol.check_head` 检查模型、损失函数和数据，用句子说出哪里不对。下面的例子：损失函数自己会做 softmax，模型却又做了一次；标签从 1 开始编号。
        """,
    )
    return


@app.cell
def _(X, loss, mo, net, ol, torch, y):
    twice = torch.nn.Sequential(net, torch.nn.Softmax(dim=1))
    findings = ol.check_head(twice, loss, X, y) + ol.check_head(net, loss, X, y + 1)
    mo.show_code(findings, position="above")
    return (findings,)


@app.cell(hide_code=True)
def _(say):
    say(
        r"""
        ## Exercise

        Write `cross_entropy(y_hat, y)`: the losses of all rows, for probabilities `y_hat` of shape (n, K) and class numbers `y` of
        shape (n,).
        """,
        r"""
        ## 练习

        请写出 `cross_entropy(y_hat, y)`：返回每个样本的损失，其中概率 `y_hat` 的形状是 (n, K)，类别编号 `y` 的形状是 (n,)。
        """,
    )
    return


@app.cell(hide_code=True)
def _(mo, torch):
    from onelayer.lessons import CodeExercise

    _hat = torch.tensor([[0.1, 0.3, 0.6], [0.3, 0.2, 0.5], [0.7, 0.2, 0.1]])
    _true = torch.tensor([0, 2, 0])
    exercise = CodeExercise(
        "cross_entropy",
        lambda y_hat, y: -torch.log(y_hat[range(len(y_hat)), y]),
        [(_hat, _true), (_hat[1:], _true[1:])],
        [
            (
                lambda y_hat, y: torch.log(y_hat[range(len(y_hat)), y]),
                "The sign: a loss is small where the model is right, so it is minus the logarithm.",
                "符号错了：模型越正确损失越小，所以要取对数的负值。",
            ),
            (
                lambda y_hat, y: -torch.log(y_hat[:, y]),
                "y_hat[:, y] takes these columns from every row. Pair each row with its own class: y_hat[range(n), y].",
                "y_hat[:, y] 从每一行都取了这些列。应让每一行配自己的类别：y_hat[range(n), y]。",
            ),
            (
                lambda y_hat, y: -torch.log(y_hat[range(len(y_hat)), y]).mean(),
                "That is the mean; asked for is the loss of every row.",
                "这是平均值；要求的是每个样本的损失。",
            ),
            (
                lambda y_hat, y: -torch.log(y_hat).sum(dim=1),
                "That sums over all classes. One-hot keeps the true class only.",
                "这把所有类别都加起来了。one-hot 只保留真实类别。",
            ),
            (
                lambda y_hat, y: -torch.log10(y_hat[range(len(y_hat)), y]),
                "The base: torch and this course use the natural logarithm.",
                "底数不对：torch 和本课程都用自然对数。",
            ),
            (
                lambda y_hat, y: torch.nn.functional.cross_entropy(
                    y_hat, y, reduction="none"
                ),
                "torch's cross_entropy takes scores, not probabilities: here softmax would be applied twice.",
                "torch 的 cross_entropy 接受的是得分而不是概率：这样 softmax 就做了两次。",
            ),
        ],
        start="def cross_entropy(y_hat, y):\n    return ...\n",
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
        From here on: `onelayer fit fashion-mnist --model softmax` does the same on the command line and writes a report with
        these pictures.
        """,
        r"""
        接下来：在命令行运行 `onelayer fit fashion-mnist --model softmax`，会做同样的事，并写出带有这些图像的报告。
        """,
    )
    return


if __name__ == "__main__":
    app.run()
