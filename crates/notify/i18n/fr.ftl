# Ce que lit un client. Le minimum : ni score, ni raison, ni lien.
question =
    { $bank } : { $amount }{ $known ->
        [yes] {" "}chez { $merchant }
       *[no] {""}
    }, { $when }{ $digits ->
        [none] {""}
       *[other] , compte finissant par { $digits }
    }. Était-ce vous ? { $reply }. Une question ? Appelez le numéro de votre carte.
question-subject = { $bank } : était-ce vous ?
reply = OUI / NON
reply-number = OUI { $number } / NON { $number }

amount = { $number } { $currency }
decimal = ,
when = le { $day }/{ $month } à { $clock }

# Réponses à ce qu'un client a écrit.
answer-theirs = { $bank } : merci. Nous notons que ce paiement vient de vous.
answer-not-theirs = { $bank } : merci. Notre équipe regarde tout de suite. Appelez le numéro de votre carte.
answer-which = { $bank } : plusieurs questions sont ouvertes. Répondez avec le numéro, par exemple NON { $number }.
answer-none = { $bank } : aucune question ouverte. Répondez SOLDE, STOP, ou appelez le numéro de votre carte.
answer-stopped = { $bank } : vous ne recevrez plus de messages de notre part.
answer-linked = { $bank } : ce numéro est maintenant lié. Répondez STOP à tout moment pour ne plus rien recevoir.
answer-not-linked = { $bank } : ce code n'est pas valable. Demandez-en un autre dans l'application ou en agence.
answer-balance = { $bank } : { $accounts }.
answer-balance-one = { $digits ->
        [none] {""}
       *[other] compte finissant par { $digits } :{" "}
    }{ $amount } { $when }
answer-no-balance = { $bank } : aucun solde connu. Appelez le numéro de votre carte.
answer-help = { $bank } : répondez OUI ou NON à une question, SOLDE pour votre solde, STOP pour ne plus rien recevoir.

# Ce que lit un analyste.
alert-subject = Alerte { $severity } : { $amount }, compte { $account }
alert-head =
    Alerte { $severity }, rang { $rank } du { $date } : { $amount } à { $time } UTC, compte { $account }{ $counterparty ->
        [none] {""}
       *[other] , contrepartie { $counterparty }
    }.
alert-looks-like = Cela ressemble à : { $what }.
alert-score = Score { $score } ; un paiement normal en a un aussi élevé dans { $tail } des cas.
alert-case = Dossier { $case }.
alert-more = Et { $count } autres.
case-subject = Dossier { $case }, { $severity } : { $reason ->
        [new] nouveau
        [graver] plus grave qu'avant
        [more] d'autres alertes
       *[repeat] personne ne l'a encore regardé
    }
case-head =
    Dossier { $case } : { $alerts ->
        [one] 1 alerte
       *[other] { $alerts } alertes
    }, { $unseen } à regarder, { $amount } en tout, { $owner ->
        [none] personne ne s'en occupe
       *[other] { $owner } s'en occupe
    }. La plus grave :
severity-low = faible
severity-medium = moyenne
severity-high = élevée
severity-critical = critique

# Ce que lit un opérateur.
trouble-subject = Le canal { $channel } est désactivé
trouble = Le canal { $channel } est désactivé : { $why }. Ce qui devait y aller est conservé et peut être renvoyé.

# Ce que les gens écrivent, en majuscules ou non.
words-yes = oui o
words-no = non
words-stop = arrêt arret arrêter arreter
words-balance = solde
words-link = lier
words-help = aide
