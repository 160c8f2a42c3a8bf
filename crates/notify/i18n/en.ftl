# What a customer reads. It holds the least: no score, no reason, no link.
question =
    { $bank }: { $amount }{ $known ->
        [yes] {" "}at { $merchant }
       *[no] {""}
    }, { $when }{ $digits ->
        [none] {""}
       *[other] , account ending { $digits }
    }. Was this you? { $reply }. Questions? Call the number on your card.
question-subject = { $bank }: was this you?
reply = YES / NO
reply-number = YES { $number } / NO { $number }

amount = { $currency } { $number }
decimal = .
when = { $day } { $month ->
        [1] Jan
        [2] Feb
        [3] Mar
        [4] Apr
        [5] May
        [6] Jun
        [7] Jul
        [8] Aug
        [9] Sep
       [10] Oct
       [11] Nov
      *[12] Dec
    } { $clock }

# Answers to what a customer wrote.
answer-theirs = { $bank }: thank you. We note that the payment was yours.
answer-not-theirs = { $bank }: thank you. Our team looks at it now. Please call the number on your card.
answer-which = { $bank }: you have several open questions. Please reply with the number, such as NO { $number }.
answer-none = { $bank }: there is no open question. Reply BALANCE, STOP, or call the number on your card.
answer-stopped = { $bank }: you will get no more messages from us.
answer-linked = { $bank }: this number is now linked. Reply STOP at any time to end messages.
answer-not-linked = { $bank }: this code is not valid. Please ask for another one in the app or at a branch.
answer-balance = { $bank }: { $accounts }.
answer-balance-one = { $digits ->
        [none] {""}
       *[other] account ending { $digits }:{" "}
    }{ $amount } on { $when }
answer-no-balance = { $bank }: no balance is known. Please call the number on your card.
answer-help = { $bank }: reply YES or NO to a question, BALANCE for your balance, STOP to end messages.

# What an analyst reads.
alert-subject = { $severity } alert: { $amount }, account { $account }
alert-head =
    { $severity } alert, rank { $rank } of { $date }: { $amount } at { $time } UTC, account { $account }{ $counterparty ->
        [none] {""}
       *[other] , counterparty { $counterparty }
    }.
alert-looks-like = It looks like { $what }.
alert-score = Score { $score }; a normal payment scores as high in { $tail } of cases.
alert-case = Case { $case }.
alert-more = { $count } more.
case-subject = Case { $case }, { $severity }: { $reason ->
        [new] new
        [graver] graver than before
        [more] more alerts
       *[repeat] nobody has looked at it yet
    }
case-head =
    Case { $case }: { $alerts ->
        [one] 1 alert
       *[other] { $alerts } alerts
    }, { $unseen } not looked at, { $amount } in all, { $owner ->
        [none] nobody works on it
       *[other] { $owner } works on it
    }. The gravest:
severity-low = Low
severity-medium = Medium
severity-high = High
severity-critical = Critical

# What an operator reads.
trouble-subject = Channel { $channel } is disabled
trouble = Channel { $channel } is disabled: { $why }. What was to go there is kept and can be sent again.

# What people write, without regard to capitals.
words-yes = yes y
words-no = no n
words-stop = stop end quit cancel unsubscribe
words-balance = balance
words-link = link
words-help = help
